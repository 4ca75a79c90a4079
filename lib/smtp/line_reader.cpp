#include "smtp/line_reader.hpp"

#include <algorithm>

namespace outpost::smtp {
namespace {

constexpr std::size_t npos = std::string_view::npos;

/// The first octet in `text` that no line may hold, where CR is one too.
LineFault first_fault(std::string_view text, LineFault otherwise) noexcept {
    const auto cr = text.find('\r');
    const auto nul = text.find('\0');
    if (cr == npos && nul == npos) return otherwise;
    return nul < cr ? LineFault::nul : LineFault::bare_cr;
}

}  // namespace

std::string_view describe(LineFault fault) noexcept {
    switch (fault) {
        case LineFault::too_long: return "line too long";
        case LineFault::bare_cr: return "CR without LF";
        case LineFault::bare_lf: return "LF without CR";
        case LineFault::nul: return "NUL octet";
    }
    return {};
}

void LineReader::reset() noexcept {
    searched_ = 0;
    skipping_ = skipped_cr_ = false;
}

LineEvent LineReader::next(ReceiveBuffer& input) noexcept {
    if (skipping_ && !skip(input)) return NeedMore{};
    const auto window = input.data().substr(0, limit_);
    const auto lf = window.find('\n', std::min(searched_, window.size()));
    if (lf != npos) return line_ending_at(input, lf);
    if (window.size() < limit_) {
        searched_ = window.size();
        return NeedMore{};
    }
    // A CR that is the last octet of the window may belong to a CRLF just outside.
    const auto fault = first_fault(window.substr(0, window.size() - 1), LineFault::too_long);
    skipping_ = true;
    skipped_cr_ = window.ends_with('\r');
    searched_ = 0;
    input.consume(window.size());
    return BadLine{fault};
}

LineEvent LineReader::line_ending_at(ReceiveBuffer& input, std::size_t lf) noexcept {
    const auto data = input.data();
    searched_ = 0;
    input.consume(lf + 1);
    const bool crlf = lf > 0 && data[lf - 1] == '\r';
    const auto text = data.substr(0, crlf ? lf - 1 : lf);
    if (text.find('\r') == npos && text.find('\0') == npos && crlf) return Line{text};
    skipping_ = !crlf;
    skipped_cr_ = false;
    return BadLine{first_fault(text, LineFault::bare_lf)};
}

bool LineReader::skip(ReceiveBuffer& input) noexcept {
    const auto data = input.data();
    if (data.empty()) return false;
    std::size_t used = data.size();
    if (skipped_cr_ && data.front() == '\n') {
        used = 1;
        skipping_ = false;
    } else if (const auto end = data.find("\r\n"); end != npos) {
        used = end + 2;
        skipping_ = false;
    }
    skipped_cr_ = skipping_ && data.back() == '\r';
    input.consume(used);
    return !skipping_;
}

}  // namespace outpost::smtp
