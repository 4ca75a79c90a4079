// Prints what the API of a provider would be sent for a message, as JSON:
//   api_requests TYPE MESSAGE_FILE RECIPIENT...
// [{"method":...,"url":...,"headers":{...},"body":BASE64},...], one object a call, or
// [{"cannot":REASON}]. Keys and addresses of the account are made up; nothing is sent.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "net/aws_signature.hpp"
#include "upstream/api_message.hpp"
#include "upstream/provider/providers.hpp"

namespace {

using namespace outpost;
namespace json = boost::json;

/// Mon, 01 Jan 2024 00:00:00 GMT, at which AWS requests are signed.
const base::WallTime signed_at{std::chrono::seconds(1704067200)};

upstream::ProviderSettings settings_for(const upstream::Provider& provider) {
    upstream::ProviderSettings settings;
    settings.endpoint = provider.endpoint;
    if (const auto at = settings.endpoint.find("{region}"); at != std::string::npos)
        settings.endpoint.replace(at, 8, "eu-west-1");
    settings.api_key = base::Secret("FAKE_KEY");
    settings.api_secret = base::Secret("FAKE_SECRET");
    settings.domain = "mg.example.com";
    settings.return_path = "bounces@bounce.example.com";
    if (provider.type == "ses")
        settings.aws = net::AwsSignature{.region = "eu-west-1",
                                         .service = {},
                                         .access_key_id = "AKIDEXAMPLE",
                                         .secret_access_key = base::Secret("FAKE_SECRET"),
                                         .session_token = {}};
    return settings;
}

json::object in_json(net::HttpRequest request) {
    if (request.sign) net::sign_for_aws(request, signed_at);
    json::object headers;
    for (const auto& [name, value] : request.headers) headers[name] = value;
    for (const auto& [name, value] : request.secret_headers) headers[name] = value.reveal();
    return {{"method", request.method},
            {"url", request.url},
            {"headers", std::move(headers)},
            {"body", base::base64_encode(request.body)}};
}

json::array requests_for(const upstream::Provider& provider, const std::string& raw,
                         const std::vector<std::string>& recipients) {
    const auto cannot = [](const upstream::Outcome& outcome) {
        return json::array{{{"cannot", outcome.reply.text()}}};
    };
    const auto prepared = upstream::prepare_message(provider, raw, false);
    if (!prepared) return cannot(prepared.error());
    const auto settings = settings_for(provider);
    json::array requests;
    for (const auto& call : upstream::split_recipients(provider, *prepared, recipients)) {
        std::vector<std::string> some;
        for (const auto index : call) some.push_back(recipients[index]);
        const std::string id = "01HZX0ABCD";
        const std::string sender = "sender@example.com";
        const auto key = upstream::idempotency_key(id, sender, some, prepared->raw);
        auto request =
            upstream::build_request(provider, settings,
                                    {.id = id,
                                     .reverse_path = sender,
                                     .recipients = some,
                                     .raw = prepared->raw,
                                     .content = prepared->content ? &*prepared->content : nullptr,
                                     .idempotency_key = key});
        if (!request) return cannot(request.error());
        requests.push_back(in_json(std::move(*request)));
    }
    return requests;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const auto* provider = words.empty() ? nullptr : upstream::find_provider(words[0]);
    if (words.size() < 3 || provider == nullptr) {
        fmt::print(stderr, "usage: api_requests TYPE MESSAGE_FILE RECIPIENT...\n");
        return 64;
    }
    std::ifstream file(words[1], std::ios::binary);
    const std::string raw{std::istreambuf_iterator<char>(file), {}};
    if (!file || raw.empty()) {
        fmt::print(stderr, "api_requests: cannot read {}, or it is empty\n", words[1]);
        return 66;
    }
    std::cout << json::serialize(requests_for(*provider, raw, {words.begin() + 2, words.end()}))
              << '\n';
    return 0;
}
