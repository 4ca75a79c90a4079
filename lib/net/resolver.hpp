#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "net/offload.hpp"

namespace outpost::net {

struct LookupFailure {
    bool permanent = false;  ///< the name does not exist
    std::string text;        ///< `no such host: smtp.example.net`
};

struct Mx {
    std::uint16_t preference = 0;
    std::string host;  ///< empty for a null MX (RFC 7505)
    bool operator==(const Mx&) const = default;
};

/// Name service through c-ares, off the network threads, with answers kept for their time to
/// live (at most five minutes). Thread-safe.
class Resolver {
  public:
    /// `servers`: name servers as `ADDRESS:PORT,...` instead of the system's.
    explicit Resolver(OffloadPool& pool, std::string servers = {})
        : pool_(pool), servers_(std::move(servers)) {}

    /// The MX records by preference; empty if the domain has none.
    boost::asio::awaitable<std::expected<std::vector<Mx>, LookupFailure>> mx(std::string domain);
    /// IPv6 and IPv4 addresses in the system's order of preference, /etc/hosts included; an
    /// address in text form is itself. Never empty on success.
    boost::asio::awaitable<std::expected<std::vector<boost::asio::ip::address>, LookupFailure>>
    addresses(std::string host);

  private:
    template <class Answer>
    struct Kept {
        Answer answer;
        std::chrono::steady_clock::time_point until;
    };
    OffloadPool& pool_;
    std::string servers_;
    std::mutex mutex_;
    std::map<std::string, Kept<std::vector<Mx>>> mx_;
    std::map<std::string, Kept<std::vector<boost::asio::ip::address>>> addresses_;
};

}  // namespace outpost::net
