#pragma once

#include <boost/asio/awaitable.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_client.hpp"
#include "net/offload.hpp"
#include "upstream/aws_keys.hpp"

/// Where a program on AWS, or beside it, finds its credentials.
namespace outpost::upstream {

/// A variable of the environment; nothing if it is not set or empty.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
/// The process's own.
[[nodiscard]] std::optional<std::string> process_environment(std::string_view name);

/// Why there are no credentials.
struct AwsFailure {
    bool passing = false;  ///< the network or a service is at fault: they may come later
    std::string text;      ///< names the source and what to do
};

using FoundKeys = std::expected<AwsKeys, AwsFailure>;

struct AwsSources {
    net::OffloadPool& pool;  ///< for files
    std::string region;
    AwsKeys configured;  ///< an empty access_key_id: none are
    Environment environment = process_environment;
    std::shared_ptr<net::HttpClient> internet;  ///< for STS, by the upstream's proxy
    std::shared_ptr<net::HttpClient> local;     ///< for metadata: no proxy, a second a call
    std::string sts;                            ///< empty: that of the region
    std::string container = "http://169.254.170.2";
    std::string instance = "http://169.254.169.254";
};

/// The first source that has any: the configuration, AWS_ACCESS_KEY_ID and its like, the shared
/// credentials file, a web identity (AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN), a container's
/// role, an instance's role (IMDSv2). One that is there but does not work is a failure; the next
/// one is not tried. `sources` outlives the call.
[[nodiscard]] boost::asio::awaitable<FoundKeys> find_keys(const AwsSources& sources);

}  // namespace outpost::upstream
