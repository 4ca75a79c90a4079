#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>

namespace outpost::control {

struct Answer {
    unsigned status = 0;
    std::string body;
};

using Query = std::map<std::string, std::string, std::less<>>;

/// One request to the daemon's control socket; blocks. The error says what to check: the path, the
/// permission, whether the daemon runs.
[[nodiscard]] std::expected<Answer, std::string> call(const std::string& socket,
                                                      std::string_view method,
                                                      std::string_view path, const Query& query,
                                                      std::string body = {});

}  // namespace outpost::control
