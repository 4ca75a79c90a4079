#include "base/id.hpp"

#include <algorithm>

namespace outpost::base {

namespace {

constexpr std::string_view digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t length = 10;
constexpr int sequence_bits = 18;
constexpr std::int64_t epoch_seconds = 1'577'836'800;  // 2020-01-01: 32 bits last until 2156

}  // namespace

std::string MessageId::text() const {
    std::string out(length, '0');
    std::uint64_t rest = value;
    for (std::size_t i = length; i-- > 0; rest >>= 5) out[i] = digits[rest & 31];
    return out;
}

std::optional<MessageId> MessageId::parse(std::string_view text) {
    if (text.size() != length) return std::nullopt;
    std::uint64_t value = 0;
    for (char c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        const auto digit = digits.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        value = value << 5 | digit;
    }
    return MessageId{value};
}

WallTime MessageId::time() const noexcept {
    const auto seconds = static_cast<std::int64_t>(value >> sequence_bits) + epoch_seconds;
    return WallTime(std::chrono::seconds(seconds));
}

MessageId MessageIdSource::next(WallTime now) {
    const auto seconds =
        std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count() - epoch_seconds;
    const auto floor = static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0))
                       << sequence_bits;
    std::uint64_t last = last_.load(std::memory_order_relaxed);
    std::uint64_t next = 0;
    do {
        next = std::max(last + 1, floor);
    } while (!last_.compare_exchange_weak(last, next, std::memory_order_relaxed));
    return MessageId{next};
}

void MessageIdSource::skip_past(MessageId last) {
    std::uint64_t current = last_.load(std::memory_order_relaxed);
    while (current < last.value &&
           !last_.compare_exchange_weak(current, last.value, std::memory_order_relaxed)) {
    }
}

}  // namespace outpost::base
