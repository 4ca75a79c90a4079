#include "base/log.hpp"
#include "base/text.hpp"
#include "control/api.hpp"
#include "control/json_views.hpp"
#include "control/test_views.hpp"

namespace outpost::control {

/// Sends one message by an upstream and says what came of it; that it was refused is no error here.
boost::asio::awaitable<Response> Api::send_test(std::string_view name, const Request& request) {
    auto test = read_test(request);
    if (!test) co_return error_response(400, test.error());
    const auto report = co_await at_desk(
        parts_.delivery, [upstream = std::string(name), test = std::move(*test)](
                             delivery::Desk& desk) { return desk.send_test(upstream, test); });
    if (!report) co_return no_such("upstream", name);
    base::log::info("operator", {{"does", "upstream send-test"},
                                 {"upstream", name},
                                 {"to", base::printable(report->to, 320)},
                                 {"id", report->id.text()},
                                 {"result", result_of(*report)},
                                 {"reason", report->not_sent},
                                 {"uid", request.uid},
                                 {"why", reason_of(request)}});
    co_return json_response(to_json(*report));
}

}  // namespace outpost::control
