#include "config/web_address.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/text.hpp"
#include "config/units.hpp"

namespace outpost::config {
namespace {

bool is_loopback(std::string_view authority) {
    const auto host = authority.starts_with('[') ? authority.substr(0, authority.find(']') + 1)
                                                 : authority.substr(0, authority.find(':'));
    return host == "127.0.0.1" || host == "[::1]" || host == "localhost";
}

/// What follows the scheme; nothing if it is another one.
std::optional<std::string_view> after(std::string_view url, std::string_view scheme) {
    if (!url.starts_with(scheme)) return std::nullopt;
    return url.substr(scheme.size());
}

}  // namespace

std::expected<std::string, std::string> check_secure_url(std::string_view url,
                                                         std::string_view example) {
    const auto secure = after(url, "https://");
    const auto rest = secure ? secure : after(url, "http://");
    const auto authority = rest.value_or("").substr(0, rest.value_or("").find_first_of("/?"));
    if (authority.find('@') != std::string_view::npos)
        return std::unexpected(fmt::format("holds a username; write {}", example));
    const bool plain =
        base::is_ascii(url) && url.find_first_of(" \t\"<>#") == std::string_view::npos;
    if (authority.empty() || !plain)
        return std::unexpected(
            fmt::format("{} is not a server's URL; write {}", in_quotes(url), example));
    if (!secure && !is_loopback(authority))
        return std::unexpected(
            fmt::format("{} would send a secret in the clear; write {}", in_quotes(url), example));
    return std::string(url);
}

}  // namespace outpost::config
