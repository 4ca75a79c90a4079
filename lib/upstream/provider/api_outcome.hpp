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
/// takes the HTTP answer for its status and the words that say why: the reply is `HTTP 429: words`
/// on one line, the words cut at 300 octets; its code is 0.
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
/// THROTTLE and QUOTA: the upstream waits, for as long as was stated, at most a day.
[[nodiscard]] Outcome throttled(const net::HttpResponse& answer, std::string_view words,
                                std::optional<std::chrono::seconds> wait);
/// TEMP: the provider's own words say that it did not take the message. 502 to 504 are about the
/// whole upstream, all others about this message.
[[nodiscard]] Outcome temporary(const net::HttpResponse& answer, std::string_view words);
/// BUG: the request is not what the provider expects. An alert; the message waits, and is not
/// bounced for our mistake.
[[nodiscard]] Outcome our_mistake(const net::HttpResponse& answer, std::string_view words);
/// What no document explains: the message may have been taken. Never a bounce.
[[nodiscard]] Outcome unclear(const net::HttpResponse& answer, std::string_view words);

/// `Mon, 20 Dec 2021 20:33:21 GMT` (IMF-fixdate of RFC 9110 section 5.6.7; UTC and +0000 as well);
/// nothing if it is none.
[[nodiscard]] std::optional<base::WallTime> http_date(std::string_view text);
/// How long it is until then, at most a day; nothing if it is over.
[[nodiscard]] std::optional<std::chrono::seconds> until(base::WallTime then, base::WallTime now);

/// Retry-After (seconds or a date) of an answer, at most a day; nothing if there is none or it is
/// over.
[[nodiscard]] std::optional<std::chrono::seconds> retry_after(const net::HttpResponse& answer,
                                                              base::WallTime now);

/// What the status alone says, for an answer whose body explains nothing: 401 and 403 account
/// trouble, 429 throttled (with Retry-After), 413 message refused (5.3.4), 408, 421 and 503
/// temporary (with Retry-After), every other 3xx and 4xx our mistake (the request was not acted
/// on, so it can be repeated), everything else (2xx, 5xx) unclear.
[[nodiscard]] Outcome by_status(const net::HttpResponse& answer, std::string_view words,
                                base::WallTime now);

/// The same for every recipient of the call.
[[nodiscard]] std::vector<Outcome> for_all(std::size_t recipients, const Outcome& outcome);

/// Nobody got the message because of one recipient whom the answer does not name. `alone` is what
/// it means for a call with one recipient; for more, each is deferred (4.5.3) and wants a call of
/// their own, so that nobody is bounced for another's sake.
[[nodiscard]] std::vector<Outcome> for_one_of(std::size_t recipients, const Outcome& alone);
/// Whether the transport is to make the call again at once, for one recipient after the other.
[[nodiscard]] bool wants_single_calls(const Outcome& outcome) noexcept;

}  // namespace outpost::upstream::api
