#include "smtp/body_account.hpp"

namespace outpost::smtp {

BodyFault BodyAccount::fault() const noexcept {
    if (too_big_) return BodyFault::too_big;
    if (bare_newline_) return BodyFault::bare_newline;
    if (nul_) return BodyFault::nul;
    return line_too_long_ ? BodyFault::line_too_long : BodyFault::none;
}

void BodyAccount::append(std::string_view octets, std::string& sink) {
    expect_size(size_ + octets.size());
    size_ += octets.size();
    if (fault() == BodyFault::none) sink.append(octets);
}

void BodyAccount::bare_newline(std::string& sink) {
    if (rules_.newlines == BareNewlinePolicy::reject) bare_newline_ = true;
    append("\r\n", sink);
    end_line();
}

void BodyAccount::lengthen_line(std::size_t octets) noexcept {
    line_ += octets;
    if (line_ > rules_.max_line) line_too_long_ = true;
}

void BodyAccount::look_for_nul(std::string_view octets) noexcept {
    if (octets.contains('\0')) nul_ = true;
}

void BodyAccount::expect_size(std::uint64_t size) noexcept {
    if (size > rules_.max_size) too_big_ = true;
}

}  // namespace outpost::smtp
