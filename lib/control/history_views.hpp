#pragma once

#include <boost/json/value.hpp>
#include <expected>
#include <span>
#include <string>

#include "base/clock.hpp"
#include "control/http_server.hpp"
#include "history/event.hpp"

/// The history in the words of the control API (docs/control-api.yaml). Pure.
namespace outpost::control {

/// Times of stages are in seconds.
[[nodiscard]] boost::json::value to_json(const history::Row& row);

/// From the query of a request: id, account, sender, rcpt, upstream, result, since and until (`2h`,
/// `2026-11-21`, or a time of RFC 3339), limit, before, after. The error names the parameter.
[[nodiscard]] std::expected<history::Query, std::string> read_history_query(const Request& request,
                                                                            base::WallTime now);

/// What became of a message that is not in the queue any more, in one sentence, from all that is
/// known of it (the newest first); empty if that says nothing.
[[nodiscard]] std::string what_became(std::span<const history::Row> rows);

}  // namespace outpost::control
