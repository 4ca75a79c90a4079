#include "net/proxy_header.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace outpost::net {
namespace {

using Kind = ProxyHeader::Kind;

constexpr std::string_view v1_prefix = "PROXY ";
constexpr std::string_view v2_signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t v2_fixed = 16;
constexpr std::size_t unix_path = 108;

bool may_become(std::string_view buffer, std::string_view beginning) noexcept {
    const auto length = std::min(buffer.size(), beginning.size());
    return buffer.substr(0, length) == beginning.substr(0, length);
}

/// The next word of a version 1 line; words are parted by exactly one space.
std::string_view take_word(std::string_view& rest) noexcept {
    const auto word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    return word;
}

std::string address_text(int family, const void* octets) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    return inet_ntop(family, octets, text.data(), text.size()) == nullptr ? "" : text.data();
}

/// A version 1 address in its canonical form; nothing if malformed.
std::optional<std::string> parse_address(std::string_view word, Kind kind) {
    if (word.contains('\0')) return {};
    const int family = kind == Kind::ipv4 ? AF_INET : AF_INET6;
    std::array<char, sizeof(in6_addr)> octets{};
    if (inet_pton(family, std::string(word).c_str(), octets.data()) != 1) return {};
    return address_text(family, octets.data());
}

std::optional<std::uint16_t> parse_port(std::string_view word) noexcept {
    std::uint16_t port = 0;
    const char* const begin = word.data();
    const char* const end = begin + word.size();
    const auto [stop, error] = std::from_chars(begin, end, port);
    if (stop != end || error != std::errc{}) return {};
    if (word.size() > 1 && word.front() == '0') return {};
    return port;
}

ProxyResult parse_v1(std::string_view buffer) {
    const auto window = buffer.substr(0, proxy_v1_max);
    const auto lf = window.find('\n');
    if (lf == std::string_view::npos) {
        if (window.size() == proxy_v1_max) return ProxyError{"PROXY line over 107 octets"};
        return ProxyNeedMore{};
    }
    if (window[lf - 1] != '\r') return ProxyError{"PROXY line ends in LF without CR"};
    auto rest = window.substr(v1_prefix.size(), lf - 1 - v1_prefix.size());
    const auto family = take_word(rest);
    if (family == "UNKNOWN") return ProxyHeader{Kind::unknown, {}, {}, lf + 1};
    if (family != "TCP4" && family != "TCP6")
        return ProxyError{"PROXY line of a family that is not TCP4, TCP6 or UNKNOWN"};
    const Kind kind = family == "TCP4" ? Kind::ipv4 : Kind::ipv6;
    auto source = parse_address(take_word(rest), kind);
    auto destination = parse_address(take_word(rest), kind);
    if (!source || !destination) return ProxyError{"PROXY line with a malformed address"};
    const auto source_port = parse_port(take_word(rest));
    const auto destination_port = parse_port(rest);
    if (!source_port || !destination_port) return ProxyError{"PROXY line with a malformed port"};
    return ProxyHeader{kind,
                       {*std::move(source), *source_port},
                       {*std::move(destination), *destination_port},
                       lf + 1};
}

std::uint16_t big_endian(std::string_view octets) noexcept {
    const auto high = static_cast<unsigned char>(octets[0]);
    const auto low = static_cast<unsigned char>(octets[1]);
    return static_cast<std::uint16_t>(high << 8 | low);
}

ProxyHeader ip_header(Kind kind, std::string_view block, std::size_t consumed) {
    const int family = kind == Kind::ipv4 ? AF_INET : AF_INET6;
    const std::size_t width = kind == Kind::ipv4 ? sizeof(in_addr) : sizeof(in6_addr);
    return {kind,
            {address_text(family, block.data()), big_endian(block.substr(2 * width))},
            {address_text(family, block.data() + width), big_endian(block.substr(2 * width + 2))},
            consumed};
}

/// Up to the first NUL; empty for an abstract name, which begins with one.
std::string path_text(std::string_view octets) {
    return std::string(octets.substr(0, octets.find('\0')));
}

ProxyResult parse_v2(std::string_view buffer) {
    if (buffer.size() < v2_fixed) return ProxyNeedMore{};
    const auto command = static_cast<unsigned char>(buffer[12]);
    const auto family = static_cast<unsigned char>(buffer[13]);
    const std::size_t length = big_endian(buffer.substr(14));
    if (command != 0x20 && command != 0x21)
        return ProxyError{"PROXY header of an unknown version or command"};
    if (length > proxy_v2_max_length) return ProxyError{"PROXY header over 4096 octets"};
    const std::size_t consumed = v2_fixed + length;
    if (buffer.size() < consumed) return ProxyNeedMore{};
    const auto block = buffer.substr(v2_fixed, length);
    const auto too_short = ProxyError{"PROXY header too short for its addresses"};
    if (command == 0x20) return ProxyHeader{Kind::local, {}, {}, consumed};
    switch (family) {
        case 0x00: return ProxyHeader{Kind::unknown, {}, {}, consumed};
        case 0x11:
            if (length < 12) return too_short;
            return ip_header(Kind::ipv4, block, consumed);
        case 0x21:
            if (length < 36) return too_short;
            return ip_header(Kind::ipv6, block, consumed);
        case 0x31:
            if (length < 2 * unix_path) return too_short;
            return ProxyHeader{Kind::unix_socket,
                               {path_text(block.substr(0, unix_path)), 0},
                               {path_text(block.substr(unix_path, unix_path)), 0},
                               consumed};
        default: return ProxyError{"PROXY header of a family that is not a stream's"};
    }
}

}  // namespace

ProxyResult parse_proxy_header(std::string_view buffer) {
    if (may_become(buffer, v2_signature))
        return buffer.size() < v2_signature.size() ? ProxyResult(ProxyNeedMore{})
                                                   : parse_v2(buffer);
    if (may_become(buffer, v1_prefix))
        return buffer.size() < v1_prefix.size() ? ProxyResult(ProxyNeedMore{}) : parse_v1(buffer);
    return ProxyError{
        "no PROXY header; is proxy_protocol set on a port that clients use directly?"};
}

}  // namespace outpost::net
