#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace outpost::config {

/// An IP address as a value. IPv4 is held in its mapped form (::ffff:a.b.c.d), so that a client of
/// a dual-stack socket equals itself however its address was written.
struct IpAddress {
    std::array<std::uint8_t, 16> octets{};

    auto operator<=>(const IpAddress&) const = default;
    /// `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`; no brackets, no zone, no port.
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
    [[nodiscard]] bool is_v4() const noexcept;
    [[nodiscard]] bool is_loopback() const noexcept;
    /// What counts as one client: the address itself for IPv4, its /64 for IPv6.
    [[nodiscard]] IpAddress client_group() const noexcept;
    [[nodiscard]] std::string text() const;
};

/// `ADDRESS/BITS`, or an address alone.
struct Network {
    IpAddress address;
    std::uint8_t bits = 128;  ///< of the 128-bit form

    bool operator==(const Network&) const = default;
    /// Nothing for a bad address, a bad length, or bits set beyond the length.
    [[nodiscard]] static std::optional<Network> parse(std::string_view text);
    [[nodiscard]] bool contains(const IpAddress& client) const noexcept;
};

}  // namespace outpost::config

template <>
struct std::hash<outpost::config::IpAddress> {
    std::size_t operator()(const outpost::config::IpAddress& address) const noexcept {
        return std::hash<std::string_view>{}(
            {reinterpret_cast<const char*>(address.octets.data()), address.octets.size()});
    }
};
