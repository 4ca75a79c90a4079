#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace outpost::config {

/// Checks the URL of a server that gets a secret of ours: https, or http on this machine alone;
/// without a username, a fragment or anything that is no URL. `example` ends the error, which goes
/// after `KEY: `: `https://HOST/PATH`.
[[nodiscard]] std::expected<std::string, std::string> check_secure_url(std::string_view url,
                                                                       std::string_view example);

}  // namespace outpost::config
