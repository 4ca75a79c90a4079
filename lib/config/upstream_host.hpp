#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace outpost::config {

/// Where an SMTP upstream is.
struct UpstreamHost {
    std::string host;        ///< a domain name in its canonical form, or an IP address
    bool bracketed = false;  ///< that host itself, no MX look-up; always so for an address
    std::optional<std::uint16_t> port;

    bool operator==(const UpstreamHost&) const = default;
    /// `host`, `host:port`, `[host]`, `[host]:port`; an IPv6 address only in brackets, with or
    /// without the prefix `IPv6:`.
    [[nodiscard]] static std::expected<UpstreamHost, std::string> parse(std::string_view text);
};

}  // namespace outpost::config
