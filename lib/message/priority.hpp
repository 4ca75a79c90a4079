#pragma once

#include <cstdint>
#include <optional>

#include "message/header_reader.hpp"

/// Priorities are 1 (highest) to 5 everywhere in Outpost.
namespace outpost::message {

/// MT-PRIORITY (RFC 6710), -9 to 9, higher is more urgent.
[[nodiscard]] std::uint8_t priority_from_mt(int mt_priority) noexcept;

/// What the header section asks for: X-Priority if it says something, else the highest of
/// Importance, Priority and X-MSMail-Priority. Unknown words ask for nothing.
[[nodiscard]] std::optional<std::uint8_t> priority_from_header(const HeaderSection& header);

struct AccountPriority {
    std::uint8_t priority = 3;
    std::uint8_t cap = 1;  ///< a message cannot raise itself above this
};

/// The higher of the account's and the message's priority; the message's counts up to the cap only.
/// MT-PRIORITY, said in the envelope, stands before the header's.
[[nodiscard]] std::uint8_t effective_priority(AccountPriority account,
                                              std::optional<std::int8_t> mt_priority,
                                              std::optional<std::uint8_t> header) noexcept;

}  // namespace outpost::message
