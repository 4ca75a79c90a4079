#include "account/sasl_messages.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace outpost::account {
namespace {

constexpr std::size_t max_name = 255;
constexpr std::size_t max_password = 1024;

/// The text up to `separator`, which is taken off with it; nothing if there is no separator.
std::optional<std::string_view> take(std::string_view& rest, char separator) {
    const std::size_t end = rest.find(separator);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return part;
}

/// `saslname` of RFC 5802: `=2C` is a comma and `=3D` an equals sign.
std::optional<std::string> decode_name(std::string_view text) {
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            name += text[i];
            continue;
        }
        const std::string_view code = text.substr(i + 1, 2);
        if (code != "2C" && code != "3D") return std::nullopt;
        name += code == "2C" ? ',' : '=';
        i += 2;
    }
    return name;
}

}  // namespace

bool is_usable_name(std::string_view name) {
    return !name.empty() && name.size() <= max_name && base::is_utf8(name) &&
           std::ranges::none_of(
               name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::optional<PlainCredentials> parse_plain(std::string_view message) {
    const auto acts_as = take(message, '\0');
    const auto name = take(message, '\0');
    if (!acts_as || !name || !is_usable_name(*name)) return std::nullopt;
    if (acts_as->size() > max_name || message.empty() || message.size() > max_password ||
        message.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    return PlainCredentials{std::string(*acts_as), std::string(*name),
                            base::Secret(std::string(message))};
}

base::Secret make_plain(std::string_view name, const base::Secret& password) {
    std::string message;
    message.reserve(name.size() + password.reveal().size() + 2);
    message += '\0';
    message += name;
    message += '\0';
    message += password.reveal();
    return base::Secret(std::move(message));
}

std::optional<std::string> scram_client_name(std::string_view message) {
    const auto binding = take(message, ',');
    const auto acts_as = take(message, ',');
    const auto user = take(message, ',');
    if (!binding || !acts_as || !user || (*binding != "n" && *binding != "y") ||
        !user->starts_with("n=") || !message.starts_with("r=")) {
        return std::nullopt;
    }
    auto name = decode_name(user->substr(2));
    if (!name || !is_usable_name(*name)) return std::nullopt;
    if (!acts_as->empty()) {
        if (!acts_as->starts_with("a=")) return std::nullopt;
        if (decode_name(acts_as->substr(2)) != name) return std::nullopt;
    }
    return name;
}

}  // namespace outpost::account
