#include <fmt/format.h>

#include "config/network.hpp"
#include "config/section_readers.hpp"
#include "config/units.hpp"

namespace outpost::config {
namespace {

/// `ADDRESS:PORT`, an IPv6 address in brackets.
Read<std::string> as_http_address(const YamlNode& node) {
    const auto text = as_line(node);
    if (!text) return text;
    const std::size_t colon = text->rfind(':');
    std::string host = text->substr(0, colon == std::string::npos ? 0 : colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto address = IpAddress::parse(host);
    const auto port = colon == std::string::npos ? std::unexpected(std::string())
                                                 : parse_number(text->substr(colon + 1));
    const bool fits = address && address->is_v4() != bracketed && port && *port <= 65535;
    if (!fits)
        return std::unexpected(fmt::format(
            "{} is not an address and port; write one such as 127.0.0.1:8025 or [::1]:8025",
            in_quotes(*text)));
    return text;
}

}  // namespace

void read_control(Section& root, Config& config) {
    Section control = subsection(root, "control");
    config.control.socket_set = control.find("socket") != nullptr;
    control.read("socket", config.control.socket, as_path);
    control.read("http", config.control.http, as_http_address);
    control.finish();
}

}  // namespace outpost::config
