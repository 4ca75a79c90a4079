#include "upstream/aws_keys.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <utility>

#include "base/text.hpp"

namespace outpost::upstream {

namespace {

/// The text between the first `<name>` and its end; empty if there is none.
std::string_view element(std::string_view xml, std::string_view name) {
    const auto open = fmt::format("<{}>", name);
    const auto begin = xml.find(open);
    if (begin == std::string_view::npos) return {};
    xml.remove_prefix(begin + open.size());
    const auto end = xml.find(fmt::format("</{}>", name));
    return end == std::string_view::npos ? std::string_view() : base::trim(xml.substr(0, end));
}

std::expected<AwsKeys, std::string> checked(std::string_view id, std::string_view secret,
                                            std::string_view token, std::string_view expires) {
    AwsKeys keys{.access_key_id = std::string(id),
                 .secret_access_key = base::Secret(std::string(secret)),
                 .session_token = base::Secret(std::string(token)),
                 .expires = {}};
    if (keys.access_key_id.empty() || keys.secret_access_key.empty())
        return std::unexpected("the answer has no keys");
    if (expires.empty()) return keys;
    keys.expires = base::parse_rfc3339(expires);
    if (!keys.expires)
        return std::unexpected(
            fmt::format("the answer's time of expiry is none: {}", base::printable(expires, 40)));
    return keys;
}

}  // namespace

std::optional<AwsKeys> read_profile(std::string_view file, std::string_view profile) {
    AwsKeys keys;
    bool ours = false;
    while (!file.empty()) {
        const auto end = std::min(file.find('\n'), file.size());
        auto line = file.substr(0, end);
        file.remove_prefix(std::min(end + 1, file.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        line = base::trim(line);
        if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
        if (line.starts_with('[')) {
            auto name = base::trim(line.substr(1, line.find(']') - 1));
            if (name.starts_with("profile ")) name = base::trim(name.substr(8));
            ours = name == profile;
            continue;
        }
        const auto equals = line.find('=');
        if (!ours || equals == std::string_view::npos) continue;
        const auto name = base::to_lower(base::trim(line.substr(0, equals)));
        const std::string value(base::trim(line.substr(equals + 1)));
        if (name == "aws_access_key_id") keys.access_key_id = value;
        if (name == "aws_secret_access_key") keys.secret_access_key = base::Secret(value);
        if (name == "aws_session_token") keys.session_token = base::Secret(value);
    }
    if (keys.access_key_id.empty() || keys.secret_access_key.empty()) return std::nullopt;
    return keys;
}

std::expected<AwsKeys, std::string> read_keys_json(std::string_view json) {
    boost::system::error_code error;
    const auto value = boost::json::parse(json, error);
    if (error || !value.is_object()) return std::unexpected("the answer is not a JSON object");
    const auto member = [&](std::string_view name) -> std::string_view {
        const auto* found = value.get_object().if_contains(name);
        return found != nullptr && found->is_string() ? std::string_view(found->get_string())
                                                      : std::string_view();
    };
    if (const auto code = member("Code"); !code.empty() && code != "Success")
        return std::unexpected(fmt::format("it says {}", base::printable(code, 80)));
    return checked(member("AccessKeyId"), member("SecretAccessKey"), member("Token"),
                   member("Expiration"));
}

std::expected<AwsKeys, std::string> read_sts_answer(std::string_view xml) {
    const auto keys = element(xml, "Credentials");
    return checked(element(keys, "AccessKeyId"), element(keys, "SecretAccessKey"),
                   element(keys, "SessionToken"), element(keys, "Expiration"));
}

std::string read_sts_error(std::string_view xml) {
    const auto error = element(xml, "Error");
    const auto code = element(error, "Code");
    if (code.empty()) return {};
    return base::printable(fmt::format("{}: {}", code, element(error, "Message")), 300);
}

}  // namespace outpost::upstream
