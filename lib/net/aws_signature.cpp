#include "net/aws_signature.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "net/percent_encoding.hpp"

namespace outpost::net {

namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

const unsigned char* octets(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hex(std::string_view digest) {
    std::string result;
    for (const char c : digest) result += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return result;
}

std::string sha256(std::string_view text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(octets(text), text.size(), digest.data());
    return {digest.begin(), digest.end()};
}

std::string hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets(text), text.size(),
         digest.data(), nullptr);
    return {digest.begin(), digest.end()};
}

struct Target {
    std::string host;  ///< as in the Host field: without the scheme's own port
    std::string_view path;
    std::string_view query;
};

Target split(std::string_view url) {
    const auto scheme_end = url.find("://");
    const bool tls = url.starts_with("https:");
    url.remove_prefix(scheme_end == std::string_view::npos ? 0 : scheme_end + 3);
    const auto authority = url.substr(0, url.find_first_of("/?"));
    Target target{base::to_lower(authority), url.substr(authority.size()), {}};
    const std::string_view own_port = tls ? ":443" : ":80";
    if (target.host.ends_with(own_port)) target.host.resize(target.host.size() - own_port.size());
    if (const auto mark = target.path.find('?'); mark != std::string_view::npos) {
        target.query = target.path.substr(mark + 1);
        target.path = target.path.substr(0, mark);
    }
    return target;
}

/// Without `.`, `..` and empty segments (RFC 3986 section 5.2.4).
std::string canonical_path(std::string_view path) {
    std::vector<std::string_view> kept;
    const bool directory = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    for (std::size_t at = 0; at < path.size();) {
        const auto end = std::min(path.find('/', at), path.size());
        const auto segment = path.substr(at, end - at);
        at = end + 1;
        if (segment.empty() || segment == ".") continue;
        if (segment != "..")
            kept.push_back(segment);
        else if (!kept.empty())
            kept.pop_back();
    }
    std::string result;
    for (const auto segment : kept) result += "/" + percent_encoded(segment);
    if (directory || result.empty()) result += '/';
    return result;
}

std::string canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> parameters;
    for (const auto& parameter : base::split_list(query, '&')) {
        const auto equals = parameter.find('=');
        parameters.emplace_back(
            percent_encoded(parameter.substr(0, equals), "%"),
            equals == std::string::npos ? "" : percent_encoded(parameter.substr(equals + 1), "%"));
    }
    std::ranges::sort(parameters);
    std::string result;
    for (const auto& [name, value] : parameters)
        result += fmt::format("{}{}={}", result.empty() ? "" : "&", name, value);
    return result;
}

/// Runs of white space as one space, none at the ends.
std::string canonical_value(std::string_view value) {
    std::string result;
    for (const char c : value) {
        const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!space)
            result += c;
        else if (!result.empty() && result.back() != ' ')
            result += ' ';
    }
    if (result.ends_with(' ')) result.pop_back();
    return result;
}

struct CanonicalHeaders {
    std::string lines;
    std::string names;
};

CanonicalHeaders canonical_headers(const HttpRequest& request, std::string host) {
    std::map<std::string, std::string> fields{{"host", std::move(host)}};
    const auto add = [&](std::string_view name, std::string_view value) {
        const auto [place, is_new] =
            fields.try_emplace(base::to_lower(name), canonical_value(value));
        if (!is_new) place->second += "," + canonical_value(value);
    };
    for (const auto& [name, value] : request.headers) add(name, value);
    for (const auto& [name, value] : request.secret_headers) add(name, value.reveal());
    CanonicalHeaders result;
    for (const auto& [name, value] : fields) {
        result.lines += fmt::format("{}:{}\n", name, value);
        result.names += (result.names.empty() ? "" : ";") + name;
    }
    return result;
}

}  // namespace

void sign_for_aws(HttpRequest& request, base::WallTime now) {
    const auto signature = std::move(*request.sign);
    request.sign.reset();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
    const auto time = fmt::format("{:%Y%m%dT%H%M%SZ}", seconds);
    const auto date = time.substr(0, 8);
    request.headers.emplace_back("X-Amz-Date", time);
    if (!signature.session_token.empty())
        request.secret_headers.emplace_back("X-Amz-Security-Token", signature.session_token);

    const auto target = split(request.url);
    const auto headers = canonical_headers(request, target.host);
    const auto canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method,
                                       canonical_path(target.path), canonical_query(target.query),
                                       headers.lines, headers.names, hex(sha256(request.body)));
    const auto scope =
        fmt::format("{}/{}/{}/aws4_request", date, signature.region, signature.service);
    const auto to_sign =
        fmt::format("{}\n{}\n{}\n{}", algorithm, time, scope, hex(sha256(canonical)));

    const base::Secret first("AWS4" + std::string(signature.secret_access_key.reveal()));
    const base::Secret day(hmac(first.reveal(), date));
    const base::Secret region(hmac(day.reveal(), signature.region));
    const base::Secret service(hmac(region.reveal(), signature.service));
    const base::Secret key(hmac(service.reveal(), "aws4_request"));
    request.secret_headers.emplace_back(
        "Authorization",
        base::Secret(fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm,
                                 signature.access_key_id, scope, headers.names,
                                 hex(hmac(key.reveal(), to_sign)))));
}

}  // namespace outpost::net
