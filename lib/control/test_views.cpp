#include "control/test_views.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <chrono>

#include "base/text.hpp"
#include "control/json_views.hpp"
#include "message/test_message.hpp"
#include "smtp/path.hpp"

namespace outpost::control {
namespace {

namespace json = boost::json;

/// As RCPT and MAIL take it.
std::expected<std::string, std::string> read_address(std::string_view name,
                                                     const std::string& text) {
    const auto mailbox = smtp::parse_mailbox(text, true);
    if (mailbox) return mailbox->address();
    return std::unexpected(fmt::format("{}: \"{}\" is no address; write local@domain", name,
                                       base::printable(text, 320)));
}

double seconds(std::chrono::microseconds time) {
    return std::chrono::duration<double>(time).count();
}

/// Line by line as it came, but for what could end a line; our own words have no code.
json::array lines_of(const smtp::Reply& reply) {
    json::array lines;
    if (reply.code == 0) {
        lines.emplace_back(reply.text());
        return lines;
    }
    const std::string wire = reply.wire();
    for (std::size_t at = 0; at < wire.size();) {
        const std::size_t end = wire.find("\r\n", at);
        lines.emplace_back(wire.substr(at, end - at));
        at = end + 2;
    }
    return lines;
}

}  // namespace

std::expected<delivery::TestRequest, std::string> read_test(const Request& request) {
    delivery::TestRequest test;
    const auto to = read_address("to", param(request, "to"));
    if (!to) return std::unexpected(to.error());
    test.to = *to;
    if (const std::string text = param(request, "from"); !text.empty()) {
        const auto from = read_address("from", text);
        if (!from) return std::unexpected(from.error());
        test.from = *from;
    }
    test.subject = param(request, "subject");
    if (auto fault = message::subject_fault(test.subject)) return std::unexpected(*fault);
    return test;
}

std::string result_of(const delivery::TestReport& report) {
    using upstream::Verdict;
    if (!report.outcome) return "not sent";
    switch (report.outcome->verdict) {
        case Verdict::delivered: return "delivered";
        case Verdict::deferred: return "deferred";
        case Verdict::failed: return "refused";
        case Verdict::misconfigured: return "misconfigured";
        case Verdict::uncertain: return "uncertain";
    }
    std::unreachable();
}

json::object to_json(const delivery::TestReport& report) {
    const upstream::Outcome outcome = report.outcome.value_or(upstream::Outcome{});
    json::object object{{"upstream", report.upstream.name},
                        {"state", report.upstream.state},
                        {"state_reason", report.upstream.reason},
                        {"result", result_of(report)},
                        {"reason", report.not_sent},
                        {"until", to_json(report.until)},
                        {"reply", report.outcome ? lines_of(outcome.reply) : json::array()},
                        {"http_status", outcome.http_status},
                        {"remote", outcome.remote},
                        {"remote_id", outcome.remote_id},
                        {"id", report.id.text()},
                        {"from", report.from},
                        {"to", report.to}};
    object["latency"] = {{"connect", seconds(report.stages.connect)},
                         {"greeting", seconds(report.stages.greeting)},
                         {"transfer", seconds(report.stages.transfer)},
                         {"total", seconds(report.took)}};
    return object;
}

}  // namespace outpost::control
