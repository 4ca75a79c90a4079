#include "upstream/aws_sources.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/text.hpp"
#include "net/percent_encoding.hpp"

namespace outpost::upstream {

namespace {

using boost::asio::awaitable;

std::unexpected<AwsFailure> fail(std::string text) {
    return std::unexpected(AwsFailure{.passing = false, .text = std::move(text)});
}

std::unexpected<AwsFailure> fail_for_now(std::string text) {
    return std::unexpected(AwsFailure{.passing = true, .text = std::move(text)});
}

struct FileText {
    std::optional<base::Secret> text;  ///< nothing: it cannot be read
    std::string error;
};

awaitable<FileText> read_file(net::OffloadPool& pool, std::string path) {
    auto read = co_await pool.run([path = std::move(path)]() -> FileText {
        std::ifstream file(path, std::ios::binary);
        if (!file)
            return {.text = {}, .error = path + ": " + std::system_category().message(errno)};
        return {.text = base::Secret(std::string(std::istreambuf_iterator<char>(file), {})),
                .error = {}};
    });
    if (read) co_return std::move(*read);
    co_return FileText{.text = {}, .error = "too many files wait to be read"};
}

/// The body of a 200; what else came is a failure of `source`.
awaitable<std::expected<std::string, AwsFailure>> fetch(net::HttpClient& client,
                                                        net::HttpRequest request,
                                                        std::string_view source) {
    auto result = co_await client.call(std::move(request));
    if (!result.answer)
        co_return fail_for_now(
            fmt::format("credentials from {}: {}", source, result.answer.error().text));
    auto& answer = *result.answer;
    if (answer.status == 200) co_return std::move(answer.body);
    const auto words = read_sts_error(answer.body);
    const auto text = fmt::format("credentials from {}: HTTP {}{}{}", source, answer.status,
                                  words.empty() ? "" : " ", words);
    if (answer.status == 429 || answer.status >= 500) co_return fail_for_now(text);
    co_return fail(text);
}

FoundKeys parsed(std::expected<AwsKeys, std::string> keys, std::string_view source) {
    if (!keys) return fail(fmt::format("credentials from {}: {}", source, keys.error()));
    return std::move(*keys);
}

net::HttpRequest request_for(std::string method, std::string url, net::HttpHeaders headers = {}) {
    net::HttpRequest request;
    request.method = std::move(method);
    request.url = std::move(url);
    request.headers = std::move(headers);
    return request;
}

std::optional<AwsKeys> from_environment(const Environment& environment) {
    const auto id = environment("AWS_ACCESS_KEY_ID");
    const auto secret = environment("AWS_SECRET_ACCESS_KEY");
    if (!id || !secret) return std::nullopt;
    return AwsKeys{
        .access_key_id = *id,
        .secret_access_key = base::Secret(*secret),
        .session_token = base::Secret(environment("AWS_SESSION_TOKEN").value_or(std::string())),
        .expires = {}};
}

/// Nothing if there is no such file, or nothing in it that was asked for.
awaitable<std::optional<FoundKeys>> from_shared_file(const AwsSources& sources) {
    const auto named = sources.environment("AWS_SHARED_CREDENTIALS_FILE");
    const auto home = sources.environment("HOME");
    if (!named && !home) co_return std::nullopt;
    const auto path = named ? *named : *home + "/.aws/credentials";
    const auto asked = sources.environment("AWS_PROFILE");
    const auto file = co_await read_file(sources.pool, path);
    if (!file.text) {
        if (!named) co_return std::nullopt;
        co_return fail(fmt::format(
            "AWS_SHARED_CREDENTIALS_FILE: {}; let outpost read it or unset the variable",
            file.error));
    }
    const auto profile = asked.value_or("default");
    if (auto keys = read_profile(file.text->reveal(), profile)) co_return std::move(*keys);
    if (!asked) co_return std::nullopt;
    co_return fail(fmt::format("{} has no keys for the profile {} (AWS_PROFILE)", path,
                               base::printable(profile, 80)));
}

awaitable<std::optional<FoundKeys>> from_web_identity(const AwsSources& sources) {
    constexpr std::string_view source = "STS (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN)";
    const auto path = sources.environment("AWS_WEB_IDENTITY_TOKEN_FILE");
    const auto role = sources.environment("AWS_ROLE_ARN");
    if (!path || !role) co_return std::nullopt;
    const auto token = co_await read_file(sources.pool, *path);
    if (!token.text)
        co_return fail(
            fmt::format("AWS_WEB_IDENTITY_TOKEN_FILE: {}; let outpost read it", token.error));
    auto request = request_for(
        "POST",
        (sources.sts.empty() ? fmt::format("https://sts.{}.amazonaws.com", sources.region)
                             : sources.sts) +
            "/",
        {{"Content-Type", "application/x-www-form-urlencoded"}});
    request.body = fmt::format(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}"
        "&WebIdentityToken={}",
        net::percent_encoded(*role),
        net::percent_encoded(sources.environment("AWS_ROLE_SESSION_NAME").value_or("outpost")),
        net::percent_encoded(base::trim(
            token.text->reveal().substr(0, token.text->reveal().find_first_of("\r\n")))));
    auto body = co_await fetch(*sources.internet, std::move(request), source);
    if (!body) co_return std::unexpected(std::move(body.error()));
    co_return parsed(read_sts_answer(*body), source);
}

/// A service that may be asked in plain text: on this machine, or one that AWS puts beside it.
bool is_near(std::string_view url) {
    for (const std::string_view near : {"http://127.", "http://localhost", "http://[::1]",
                                        "http://169.254.170.2", "http://[fd00:ec2::23]"})
        if (url.starts_with(near)) return true;
    return url.starts_with("https://");
}

awaitable<std::optional<FoundKeys>> from_container(const AwsSources& sources) {
    const auto relative = sources.environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const auto full = sources.environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full) co_return std::nullopt;
    const auto url = relative ? sources.container + *relative : *full;
    if (!is_near(url))
        co_return fail(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI: plain http only to this machine or "
            "169.254.170.2; use https");
    auto request = request_for("GET", url);
    auto token = sources.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (const auto path = sources.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
        const auto file = co_await read_file(sources.pool, *path);
        if (!file.text)
            co_return fail(fmt::format(
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: {}; let outpost read it", file.error));
        const auto text = file.text->reveal();
        token = text.substr(0, text.find_first_of("\r\n"));
    }
    if (token) request.secret_headers.emplace_back("Authorization", base::Secret(*token));
    auto body = co_await fetch(*sources.local, std::move(request), "the container's role");
    if (!body) co_return std::unexpected(std::move(body.error()));
    co_return parsed(read_keys_json(*body), "the container's role");
}

awaitable<FoundKeys> from_instance(const AwsSources& sources) {
    constexpr std::string_view source = "the instance's role (IMDSv2)";
    const auto base_url = sources.instance + "/latest/";
    auto token = co_await fetch(*sources.local,
                                request_for("PUT", base_url + "api/token",
                                            {{"X-aws-ec2-metadata-token-ttl-seconds", "300"}}),
                                source);
    if (!token) co_return std::unexpected(std::move(token.error()));
    const base::Secret session(std::move(*token));
    const auto get = [&](const std::string& path) {
        auto request = request_for("GET", base_url + "meta-data/iam/security-credentials/" + path);
        request.secret_headers.emplace_back("X-aws-ec2-metadata-token", session);
        return fetch(*sources.local, std::move(request), source);
    };
    auto roles = co_await get("");
    if (!roles) co_return std::unexpected(std::move(roles.error()));
    const std::string role(base::trim(roles->substr(0, roles->find_first_of("\r\n"))));
    if (role.empty())
        co_return fail(
            "credentials from the instance: it has no role; attach one that may "
            "ses:SendEmail and ses:SendRawEmail");
    auto body = co_await get(net::percent_encoded(role));
    if (!body) co_return std::unexpected(std::move(body.error()));
    co_return parsed(read_keys_json(*body), source);
}

}  // namespace

std::optional<std::string> process_environment(std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

awaitable<FoundKeys> find_keys(const AwsSources& sources) {
    if (!sources.configured.access_key_id.empty()) co_return sources.configured;
    if (auto keys = from_environment(sources.environment)) co_return std::move(*keys);
    if (auto keys = co_await from_shared_file(sources)) co_return std::move(*keys);
    if (auto keys = co_await from_web_identity(sources)) co_return std::move(*keys);
    if (auto keys = co_await from_container(sources)) co_return std::move(*keys);
    constexpr std::string_view none =
        "no AWS credentials found in the configuration (access_key_id), the environment, the "
        "shared credentials file, a web identity or a container's role";
    if (sources.environment("AWS_EC2_METADATA_DISABLED").value_or("") == "true")
        co_return fail(std::string(none));
    auto keys = co_await from_instance(sources);
    if (!keys) keys.error().text = fmt::format("{}; {}", none, keys.error().text);
    co_return keys;
}

}  // namespace outpost::upstream
