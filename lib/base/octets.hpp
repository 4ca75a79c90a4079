#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// Numbers and strings as octets: little-endian, no padding. Pure.
namespace outpost::base {

static_assert(std::endian::native == std::endian::little, "what is stored is little-endian");

template <std::integral Number>
void put(std::string& out, Number value) {
    char octets[sizeof value];
    std::memcpy(octets, &value, sizeof value);
    out.append(octets, sizeof value);
}

/// A string with its length before it, cut at what `Length` can say.
template <std::unsigned_integral Length>
void put_text(std::string& out, std::string_view text) {
    text = text.substr(0, static_cast<Length>(-1));
    put(out, static_cast<Length>(text.size()));
    out.append(text);
}

/// Reads what put() wrote. Reading past the end gives zeros and makes ok() false for good, so a
/// caller checks once, at the end.
class OctetReader {
  public:
    explicit OctetReader(std::string_view octets) noexcept : rest_(octets) {}

    template <std::integral Number>
    Number number() noexcept {
        Number value{};
        const std::string_view octets = take(sizeof value);
        if (ok_) std::memcpy(&value, octets.data(), sizeof value);
        return value;
    }
    template <std::unsigned_integral Length>
    std::string_view text() noexcept {
        return take(number<Length>());
    }
    std::string_view take(std::size_t count) noexcept {
        if (count > rest_.size()) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const std::string_view octets = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return octets;
    }
    [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }
    [[nodiscard]] bool ok() const noexcept { return ok_; }
    /// Everything was there, and nothing is left over.
    [[nodiscard]] bool done() const noexcept { return ok_ && rest_.empty(); }

  private:
    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace outpost::base
