#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <expected>
#include <random>
#include <string>
#include <vector>

#include "net/resolver.hpp"
#include "upstream/outcome.hpp"
#include "upstream/smtp_settings.hpp"

namespace outpost::upstream {

/// A server to try.
struct Target {
    std::string host;  ///< whose certificate it must show
    boost::asio::ip::tcp::endpoint endpoint;

    /// `mx.example.com [192.0.2.1]:25`
    [[nodiscard]] std::string text() const;
    bool operator==(const Target&) const = default;
};

/// Mail hosts in the order to try them (RFC 5321 section 5.1): by preference, equals shuffled.
[[nodiscard]] std::vector<std::string> mx_order(std::vector<net::Mx> records,
                                                std::minstd_rand& random);

/// The servers of an upstream, in the order to try them; never empty. A bare name is looked up as
/// MX where it has such records; `[name]`, an address and a name without a dot stand for that host
/// itself. So does a bare name whose MX lookup fails for now: its addresses are a safe guess, since
/// an upstream is a server that takes our mail, and the hosts file knows no MX.
/// The error is a deferral of the upstream, but a null MX (RFC 7505) is a misconfiguration: the
/// host wants no mail, and the operator named it.
boost::asio::awaitable<std::expected<std::vector<Target>, Outcome>> find_targets(
    const SmtpSettings& settings, net::Resolver& resolver, std::minstd_rand& random);

}  // namespace outpost::upstream
