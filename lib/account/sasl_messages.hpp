#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"

/// The little of the mechanisms' messages that is read before libsasl2 sees them: who wants to sign
/// in, for the throttle and the cache. Pure.
namespace outpost::account {

struct PlainCredentials {
    std::string acts_as;  ///< the authorization identity; usually empty
    std::string name;
    base::Secret password;
};

/// Not empty, at most 255 octets of UTF-8 without control characters.
[[nodiscard]] bool is_usable_name(std::string_view name);
/// The message of PLAIN (RFC 4616 section 2).
[[nodiscard]] std::optional<PlainCredentials> parse_plain(std::string_view message);
/// The message of PLAIN without authorization identity.
[[nodiscard]] base::Secret make_plain(std::string_view name, const base::Secret& password);
/// The name in a SCRAM client-first-message (RFC 5802 section 7). Nothing if it is malformed, acts
/// as another, or asks for channel binding, which is not offered.
[[nodiscard]] std::optional<std::string> scram_client_name(std::string_view message);

}  // namespace outpost::account
