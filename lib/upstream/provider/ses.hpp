#pragma once

#include "net/http.hpp"

namespace outpost::upstream {

/// Whether Amazon SES refused a call because its temporary credentials are over. Nothing was sent:
/// with fresh credentials the same call may be made again at once.
[[nodiscard]] bool is_expired_token(const net::HttpResponse& answer);

}  // namespace outpost::upstream
