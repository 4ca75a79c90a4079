#include <sysexits.h>

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <iostream>
#include <memory>

#include "ctl/commands.hpp"
#include "ctl/text.hpp"

namespace outpost::ctl {
namespace {

namespace json = boost::json;

struct Test {
    std::string upstream;
    control::Query query;
};

std::string meaning(const std::string& result) {
    if (result == "uncertain") return "uncertain: it may have arrived or not";
    if (result == "misconfigured")
        return "not delivered: login, key, account or encryption do not fit";
    if (result == "deferred") return "not delivered for now";
    return result;
}

std::string milliseconds(const json::value& latency, std::string_view stage) {
    return fmt::format("{} {:.1f} ms", stage, latency.at(stage).to_number<double>() * 1000);
}

void print(const json::value& answer) {
    const std::string name = text(answer, "upstream");
    std::cout << name << ": " << meaning(text(answer, "result"));
    if (const std::string reason = text(answer, "reason"); !reason.empty())
        std::cout << ": " << reason;
    if (const std::string until = text(answer, "until"); !until.empty())
        std::cout << " until " << until;
    std::cout << '\n';
    for (const json::value& line : answer.at("reply").as_array())
        std::cout << "    " << std::string_view(line.as_string()) << '\n';
    std::cout << "from " << text(answer, "from") << " to " << text(answer, "to") << ", id "
              << text(answer, "id") << '\n';
    if (const std::string remote = text(answer, "remote"); !remote.empty()) {
        const std::string its_id = text(answer, "remote_id");
        std::cout << "by " << remote << (its_id.empty() ? "" : ", id there " + its_id) << '\n';
    }
    if (!answer.at("reply").as_array().empty()) {
        const json::value& latency = answer.at("latency");
        std::cout << milliseconds(latency, "connect") << ", " << milliseconds(latency, "greeting")
                  << ", " << milliseconds(latency, "transfer") << ", "
                  << milliseconds(latency, "total") << '\n';
    }
    if (const std::string state = text(answer, "state"); state != "open") {
        const std::string reason = text(answer, "state_reason");
        std::cout << "note: upstream " << name << " was " << state
                  << (reason.empty() ? "" : " (" + reason + ")") << " when this was tried\n";
    }
}

int send_test(Session& session, const Test& test) {
    const auto answer =
        session.ask("POST", "/v1/upstreams/" + test.upstream + "/send-test", test.query);
    if (!answer) return session.code;
    if (session.json) {
        std::cout << json::serialize(*answer) << '\n';
    } else {
        print(*answer);
    }
    return text(*answer, "result") == "delivered" ? EX_OK : EX_TEMPFAIL;
}

}  // namespace

void add_send_test(CLI::App& upstream, Session& session) {
    const auto test = std::make_shared<Test>();
    CLI::App* const command =
        upstream.add_subcommand("send-test", "Send one message there now, and show the answer");
    command->add_option("name", test->upstream, "The upstream")->required();
    const auto add = [&](const char* option, const char* key, const char* help) {
        return command->add_option_function<std::string>(
            option, [test, key](const std::string& value) { test->query[key] = value; }, help);
    };
    add("--to", "to", "Who gets it")->required();
    add("--from", "from", "The sender; where reports come from unless given");
    add("--subject", "subject", "Test from Outpost (NAME) unless given");
    command->footer("Example: outpostctl upstream send-test office --to ann@example.org");
    command->callback(
        [&session, test] { session.run = [&session, test] { return send_test(session, *test); }; });
}

}  // namespace outpost::ctl
