#include "upstream/api_factory.hpp"

#include <string_view>
#include <utility>

#include "upstream/api_transport.hpp"

namespace outpost::upstream {

namespace {

AwsSources aws_sources(const config::ApiUpstream& kind, const Facilities& facilities) {
    return {.pool = facilities.pool,
            .region = kind.region,
            .configured = {.access_key_id = kind.access_key_id,
                           .secret_access_key = kind.secret_access_key,
                           .session_token = {},
                           .expires = {}},
            .internet = {},
            .local = {},
            .sts = {}};
}

}  // namespace

std::string endpoint_of(const config::ApiUpstream& kind) {
    if (!kind.endpoint.empty()) return kind.endpoint;
    const auto& provider = *find_provider(kind.provider);
    const bool europe = kind.region == "eu" && !provider.eu_endpoint.empty();
    std::string endpoint(europe ? provider.eu_endpoint : provider.endpoint);
    constexpr std::string_view region = "{region}";
    if (const auto at = endpoint.find(region); at != std::string::npos)
        endpoint.replace(at, region.size(), kind.region);
    return endpoint;
}

config::Uncertain uncertain_of(const config::ApiUpstream& kind) {
    const bool knows_again = find_provider(kind.provider)->idempotent;
    return kind.uncertain.value_or(knows_again ? config::Uncertain::retry
                                               : config::Uncertain::report);
}

std::unique_ptr<Transport> make_api_transport(const config::Upstream& upstream,
                                              const config::ApiUpstream& kind,
                                              const Facilities& facilities) {
    const auto& provider = *find_provider(kind.provider);
    ApiTransport::Settings settings{.context = facilities.context,
                                    .pool = facilities.pool,
                                    .clock = facilities.clock,
                                    .name = upstream.name,
                                    .provider = provider,
                                    .account = {.endpoint = endpoint_of(kind),
                                                .api_key = kind.api_key,
                                                .api_secret = kind.api_secret,
                                                .domain = kind.domain,
                                                .aws = {},
                                                .return_path = upstream.overrides.return_path},
                                    .http = {.proxy = kind.proxy,
                                             .ca_bundle = kind.ca_bundle,
                                             .max_connections = upstream.concurrency},
                                    .aws = {}};
    if (provider.type == "ses") settings.aws.emplace(aws_sources(kind, facilities));
    return std::make_unique<ApiTransport>(std::move(settings));
}

}  // namespace outpost::upstream
