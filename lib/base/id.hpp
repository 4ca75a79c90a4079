#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace outpost::base {

/// Names a message everywhere: spool, logs, the Received field, replies. Its text form is ten
/// base32 digits (Crockford's alphabet, upper case) that sort by time of arrival.
struct MessageId {
    std::uint64_t value = 0;

    auto operator<=>(const MessageId&) const = default;
    [[nodiscard]] std::string text() const;
    /// Accepts either case; nothing if `text` is not an id.
    [[nodiscard]] static std::optional<MessageId> parse(std::string_view text);
    /// When it was handed out, to the second.
    [[nodiscard]] WallTime time() const noexcept;
};

/// Hands out ids, each greater than all before it: 32 bits of seconds, 18 bits of sequence. More
/// than 262,144 a second borrow from the next second. Thread-safe.
class MessageIdSource {
  public:
    [[nodiscard]] MessageId next(WallTime now);
    /// No id up to and including `last` will be handed out; for ids found by recovery.
    void skip_past(MessageId last);

  private:
    std::atomic<std::uint64_t> last_{0};
};

}  // namespace outpost::base

template <>
struct std::hash<outpost::base::MessageId> {
    std::size_t operator()(outpost::base::MessageId id) const noexcept {
        return std::hash<std::uint64_t>{}(id.value);
    }
};
