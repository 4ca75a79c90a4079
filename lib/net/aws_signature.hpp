#pragma once

#include "base/clock.hpp"
#include "net/http.hpp"

namespace outpost::net {

/// Puts what `request.sign` asks for into header fields (AWS Signature Version 4): X-Amz-Date,
/// Authorization and, for temporary credentials, X-Amz-Security-Token. Every field that the
/// request has, Host and the body are signed, so nothing may be changed after it; `sign` is reset.
/// The path is normalised, as services other than S3 want it. Takes time with the body: 40 MB are
/// some 50 ms. Pure.
void sign_for_aws(HttpRequest& request, base::WallTime now);

}  // namespace outpost::net
