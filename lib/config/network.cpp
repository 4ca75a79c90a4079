#include "config/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace outpost::config {
namespace {

constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::uint8_t mapped_bits = 96;

/// Octet `i` of the mask of a network with `bits`.
std::uint8_t mask_octet(unsigned bits, unsigned i) {
    const unsigned before = i * 8;
    if (bits >= before + 8) return 0xFF;
    if (bits <= before) return 0;
    return static_cast<std::uint8_t>(0xFF00U >> (bits - before));
}

IpAddress masked(const IpAddress& address, unsigned bits) {
    IpAddress result = address;
    for (unsigned i = 0; i < result.octets.size(); ++i) result.octets[i] &= mask_octet(bits, i);
    return result;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    char buffer[INET6_ADDRSTRLEN];
    if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
    *std::ranges::copy(text, buffer).out = '\0';
    IpAddress address;
    if (text.find(':') != std::string_view::npos) {
        if (inet_pton(AF_INET6, buffer, address.octets.data()) != 1) return std::nullopt;
        return address;
    }
    std::ranges::copy(mapped, address.octets.begin());
    if (inet_pton(AF_INET, buffer, address.octets.data() + mapped.size()) != 1) return std::nullopt;
    return address;
}

bool IpAddress::is_v4() const noexcept {
    return std::equal(mapped.begin(), mapped.end(), octets.begin());
}

bool IpAddress::is_loopback() const noexcept {
    static constexpr std::array<std::uint8_t, 16> v6{0, 0, 0, 0, 0, 0, 0, 0,
                                                     0, 0, 0, 0, 0, 0, 0, 1};
    return is_v4() ? octets[12] == 127 : octets == v6;
}

IpAddress IpAddress::client_group() const noexcept {
    return is_v4() ? *this : masked(*this, 64);
}

std::string IpAddress::text() const {
    char buffer[INET6_ADDRSTRLEN];
    if (is_v4()) {
        inet_ntop(AF_INET, octets.data() + mapped.size(), buffer, sizeof buffer);
    } else {
        inet_ntop(AF_INET6, octets.data(), buffer, sizeof buffer);
    }
    return buffer;
}

std::optional<Network> Network::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view written = text.substr(0, slash);
    const auto address = IpAddress::parse(written);
    if (!address) return std::nullopt;
    Network network{*address, 128};
    if (slash == std::string_view::npos) return network;
    const std::string_view digits = text.substr(slash + 1);
    const char* const end = digits.data() + digits.size();
    unsigned bits = 0;
    const auto [stop, error] = std::from_chars(digits.data(), end, bits);
    const bool v4 = written.find(':') == std::string_view::npos;
    if (error != std::errc{} || stop != end || bits > (v4 ? 32U : 128U)) return std::nullopt;
    network.bits = static_cast<std::uint8_t>(v4 ? bits + mapped_bits : bits);
    if (masked(network.address, network.bits) != network.address) return std::nullopt;
    return network;
}

bool Network::contains(const IpAddress& client) const noexcept {
    // ::/0 means IPv6; a mapped address is IPv4 and not in it.
    if (bits < mapped_bits && client.is_v4()) return false;
    return masked(client, bits) == address;
}

}  // namespace outpost::config
