#include <array>
#include <optional>
#include <string_view>

#include "config/secret_source.hpp"
#include "config/section_readers.hpp"
#include "config/web_address.hpp"

namespace outpost::config {
namespace {

/// The client's secret goes there.
Read<std::string> as_token_url(const YamlNode& node) {
    const auto url = as_line(node);
    if (!url) return url;
    return check_secure_url(*url, "where tokens are given, https://HOST/PATH");
}

void read_grant(Section& section, OAuth2& oauth2) {
    const YamlEntry* const grant = section.find("grant");
    const YamlEntry* const token = section.find("refresh_token");
    if (token != nullptr) oauth2.grant = OAuth2::Grant::refresh_token;
    section.read("grant", oauth2.grant,
                 choice<OAuth2::Grant>(
                     std::to_array<std::string_view>({"client_credentials", "refresh_token"})));
    if (grant == nullptr && token == nullptr) {
        section.missing("grant",
                        "is missing; write client_credentials, or set a refresh_token instead");
        return;
    }
    if (oauth2.grant == OAuth2::Grant::refresh_token) {
        section.missing("refresh_token", "is missing; the grant needs one");
    } else {
        if (token != nullptr) {
            section.error(*token, "is set, but the grant is client_credentials; keep one of them");
        }
        section.missing("client_secret", "is missing; client_credentials needs one");
    }
}

}  // namespace

std::optional<OAuth2> read_oauth2(Section& upstream) {
    if (upstream.find("oauth2") == nullptr) return std::nullopt;
    OAuth2 oauth2;
    Section section = subsection(upstream, "oauth2");
    section.read("token_url", oauth2.token_url, as_token_url);
    section.missing("token_url", "is missing; write where tokens are given, https://HOST/PATH");
    section.read("client_id", oauth2.client_id, as_line);
    section.missing("client_id", "is missing");
    if (auto secret = read_secret(section, "client_secret"))
        oauth2.client_secret = std::move(*secret);
    if (auto token = read_secret(section, "refresh_token"))
        oauth2.refresh_token = std::move(*token);
    read_grant(section, oauth2);
    section.read("scope", oauth2.scope, as_line);
    section.finish();
    return oauth2;
}

}  // namespace outpost::config
