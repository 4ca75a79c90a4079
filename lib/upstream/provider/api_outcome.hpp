#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "net/http.hpp"
#include "upstream/outcome.hpp"

/// The classes into which a provider's answers fall (esp-apis.md section 0), as outcomes. Each
/// takes the HTTP answer for its status and the words that say why.
namespace outpost::upstream::api {

/// 2xx with the positive marker that the provider documents.
[[nodiscard]] Outcome delivered(const net::HttpResponse& answer, std::string remote_id,
                                std::string_view words);
/// PERM-RCPT: 5.1.1.
[[nodiscard]] Outcome recipient_refused(const net::HttpResponse& answer, std::string_view words);
/// PERM-MSG: 5.6.0. Another upstream may take it.
[[nodiscard]] Outcome message_refused(const net::HttpResponse& answer, std::string_view words);
/// SENDER: an hour, for this sender at this upstream; an alert.
[[nodiscard]] Outcome sender_unverified(const net::HttpResponse& answer, std::string_view words);
/// ACCOUNT: suspends the upstream.
[[nodiscard]] Outcome account_trouble(const net::HttpResponse& answer, std::string_view words);
/// THROTTLE and QUOTA: the upstream waits, for as long as was stated.
[[nodiscard]] Outcome throttled(const net::HttpResponse& answer, std::string_view words,
                                std::optional<std::chrono::seconds> wait);
/// TEMP: the provider's own words say that it did not take the message.
[[nodiscard]] Outcome temporary(const net::HttpResponse& answer, std::string_view words);
/// BUG: the request is not what the provider expects. An alert; the message waits, and is not
/// bounced for our mistake.
[[nodiscard]] Outcome our_mistake(const net::HttpResponse& answer, std::string_view words);
/// What no document explains: the message may have been taken. Never a bounce.
[[nodiscard]] Outcome unclear(const net::HttpResponse& answer, std::string_view words);

/// Retry-After (seconds or a date) of an answer; nothing if there is none or it is over.
[[nodiscard]] std::optional<std::chrono::seconds> retry_after(const net::HttpResponse& answer,
                                                              base::WallTime now);

/// What the status alone says, for an answer whose body explains nothing: 401 and 403 account
/// trouble, 429 throttled (with Retry-After), 404, 405 and 415 our mistake, 413 message refused
/// (5.3.4), 408 and 421 temporary, 503 temporary, 3xx our mistake, everything else unclear.
[[nodiscard]] Outcome by_status(const net::HttpResponse& answer, std::string_view words,
                                base::WallTime now);

/// The same for every recipient of the call.
[[nodiscard]] std::vector<Outcome> for_all(std::size_t recipients, const Outcome& outcome);

}  // namespace outpost::upstream::api
