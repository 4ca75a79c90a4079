#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "smtp/reply.hpp"

namespace outpost::smtp {

/// FUTURERELEASE (RFC 4865 section 3): how long a server is willing to hold a message.
struct FutureRelease {
    std::chrono::seconds max_interval{0};
    base::WallTime max_time{};

    bool operator==(const FutureRelease&) const = default;
};

/// What an EHLO reply offers (RFC 5321 section 4.1.1.1): ours to write, an upstream's to read.
struct Extensions {
    bool starttls = false;
    bool pipelining = false;
    bool eight_bit_mime = false;
    bool smtputf8 = false;
    bool chunking = false;
    bool binary_mime = false;
    bool dsn = false;
    bool enhanced_status_codes = false;
    bool mt_priority = false;
    std::vector<std::string> auth;      ///< SASL mechanisms, upper case; empty: no AUTH
    std::optional<std::uint64_t> size;  ///< RFC 1870; 0: offered without a fixed maximum
    /// DELIVERBY (RFC 2852): the least by-time that mode R may ask for; 0: any.
    std::optional<std::uint32_t> deliver_by{};
    /// Ours alone: it is an extension of submission, so an upstream's is not read.
    std::optional<FutureRelease> future_release{};
    std::optional<std::uint32_t> mail_max;         ///< LIMITS (RFC 9422): messages a connection
    std::optional<std::uint32_t> rcpt_max;         ///< LIMITS: recipients a message
    std::optional<std::uint32_t> rcpt_domain_max;  ///< LIMITS: recipient domains a connection

    bool operator==(const Extensions&) const = default;
    /// `mechanism` in upper case.
    [[nodiscard]] bool has_auth(std::string_view mechanism) const noexcept;
};

/// The reply to EHLO: 250, its first line `hostname`, then one line an extension.
[[nodiscard]] Reply ehlo_reply(std::string_view hostname, const Extensions& offered);

/// Reads the lines of an upstream's reply to EHLO, without code; the first is its greeting and
/// is skipped. Takes the old form `AUTH=LOGIN` as well. Unknown keywords and malformed values
/// count as not offered.
[[nodiscard]] Extensions parse_extensions(std::span<const std::string> lines);

}  // namespace outpost::smtp
