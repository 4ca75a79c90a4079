#include "config/upstream_host.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "config/domain_name.hpp"
#include "config/network.hpp"
#include "config/units.hpp"

namespace outpost::config {
namespace {

std::unexpected<std::string> refusal(std::string_view text, std::string_view advice) {
    return std::unexpected(fmt::format("{} is not a host; {}", in_quotes(text), advice));
}

}  // namespace

std::expected<UpstreamHost, std::string> UpstreamHost::parse(std::string_view text) {
    UpstreamHost result;
    std::string_view name;
    std::string_view rest;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return refusal(text, "the closing ] is missing");
        name = text.substr(1, close - 1);
        rest = text.substr(close + 1);
        result.bracketed = true;
        if (base::iequals(name.substr(0, 5), "IPv6:")) name.remove_prefix(5);
    } else {
        if (std::ranges::count(text, ':') > 1) {
            return refusal(text, "write an IPv6 address in brackets, such as [::1]:25");
        }
        const std::size_t colon = std::min(text.find(':'), text.size());
        name = text.substr(0, colon);
        rest = text.substr(colon);
    }
    if (!rest.empty()) {
        const auto port =
            rest.starts_with(':') ? parse_ports(rest.substr(1)) : std::unexpected(std::string{});
        if (!port || !port->single()) {
            return refusal(text, "a port follows as :NUMBER, such as [smtp.example.net]:587");
        }
        result.port = port->first;
    }
    if (const auto address = IpAddress::parse(name)) {
        result.host = std::string(name);
        result.bracketed = true;
        return result;
    }
    const auto domain = canonical_domain(name);
    if (!domain) {
        return refusal(text, "write a name or an address, such as smtp.example.net or [192.0.2.1]");
    }
    result.host = *domain;
    return result;
}

}  // namespace outpost::config
