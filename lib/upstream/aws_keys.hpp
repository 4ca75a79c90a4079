#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/secret.hpp"

/// Credentials for AWS, and the forms in which files and services give them. Pure.
namespace outpost::upstream {

struct AwsKeys {
    std::string access_key_id;
    base::Secret secret_access_key;
    base::Secret session_token;             ///< empty: long-term credentials
    std::optional<base::WallTime> expires;  ///< temporary ones
};

/// The keys of a profile in a shared credentials file (`[default]`, `aws_access_key_id = ...`);
/// nothing if there is no such profile or it has no keys.
[[nodiscard]] std::optional<AwsKeys> read_profile(std::string_view file, std::string_view profile);

/// The JSON of the container and instance services. The error says what is wrong with it, without
/// any of it that may be secret.
[[nodiscard]] std::expected<AwsKeys, std::string> read_keys_json(std::string_view json);

/// The XML of STS AssumeRoleWithWebIdentity.
[[nodiscard]] std::expected<AwsKeys, std::string> read_sts_answer(std::string_view xml);
/// `InvalidIdentityToken: Token is expired` of an error of STS; empty if it is none.
[[nodiscard]] std::string read_sts_error(std::string_view xml);

}  // namespace outpost::upstream
