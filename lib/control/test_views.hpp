#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <string>

#include "control/http_server.hpp"
#include "delivery/test_sender.hpp"

/// An operator's test message as the control API has it (docs/control-api.yaml). Pure.
namespace outpost::control {

/// From the query: to, from, subject. The error names the parameter and its value.
[[nodiscard]] std::expected<delivery::TestRequest, std::string> read_test(const Request& request);

/// `delivered`, `deferred`, `refused`, `misconfigured`, `uncertain` or `not sent`.
[[nodiscard]] std::string result_of(const delivery::TestReport& report);

[[nodiscard]] boost::json::object to_json(const delivery::TestReport& report);

}  // namespace outpost::control
