#pragma once

#include <memory>
#include <string>

#include "base/secret.hpp"
#include "smtp/sasl.hpp"

namespace outpost::account {

/// A client over libsasl2, fit as an smtp::SaslClientFactory. Of the mechanisms offered it takes
/// the first of SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, LOGIN, CRAM-MD5; PLAIN and LOGIN only if
/// `encrypted`. Throws base::StartFailure if libsasl2 or its modules cannot be used.
[[nodiscard]] std::unique_ptr<smtp::SaslClient> make_sasl_client(const std::string& username,
                                                                 const base::Secret& password,
                                                                 const std::string& host,
                                                                 bool encrypted);

}  // namespace outpost::account
