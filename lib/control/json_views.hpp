#pragma once

#include <boost/json/value.hpp>
#include <expected>
#include <string>

#include "control/http_server.hpp"
#include "delivery/desk.hpp"
#include "delivery/views.hpp"

/// The values of the control API as JSON (docs/control-api.yaml). Pure.
namespace outpost::control {

/// A parameter of the query; empty if it is not there.
[[nodiscard]] std::string param(const Request& request, std::string_view name);
/// The operator's, for the log.
[[nodiscard]] std::string reason_of(const Request& request);

/// What else it asks for, for the log: `account=news state=held`; of many ids the first ones.
[[nodiscard]] std::string asked_for(const Request& request);

/// RFC 3339, or null.
[[nodiscard]] boost::json::value to_json(const std::optional<base::WallTime>& at);
[[nodiscard]] boost::json::value to_json(const delivery::UpstreamView& view);
[[nodiscard]] boost::json::value to_json(const delivery::GroupView& view);
[[nodiscard]] boost::json::value to_json(const delivery::MessageView& view);
[[nodiscard]] boost::json::value to_json(const delivery::QueueRow& row);
[[nodiscard]] boost::json::value to_json(const delivery::WayOutlook& outlook);
[[nodiscard]] boost::json::value to_json(const delivery::RouteView& view);
[[nodiscard]] boost::json::value to_json(const std::vector<limit::Level>& levels);
/// With at most so many ids of each kind.
[[nodiscard]] boost::json::value to_json(const delivery::QueueChanged& changed, bool dry_run,
                                         std::size_t most_ids);

/// A filter from the query of a request: id (several with commas), account, sender, rcpt,
/// upstream, state, why, older, priority. The error names the parameter.
[[nodiscard]] std::expected<delivery::MessageFilter, std::string> read_filter(
    const Request& request);
/// A change from the path's last part and the query: to, level, bounce, dry_run.
[[nodiscard]] std::expected<delivery::QueueChange, std::string> read_change(std::string_view what,
                                                                            const Request& request);

[[nodiscard]] Response json_response(const boost::json::value& value, unsigned status = 200);
/// `{"error": "..."}`.
[[nodiscard]] Response error_response(unsigned status, std::string_view words);
/// 404 with `there is no WHAT NAME`.
[[nodiscard]] Response no_such(std::string_view what, std::string_view name);

}  // namespace outpost::control
