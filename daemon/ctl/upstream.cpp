#include <sysexits.h>

#include <boost/json/serialize.hpp>
#include <iostream>
#include <memory>

#include "ctl/commands.hpp"
#include "ctl/text.hpp"

namespace outpost::ctl {
namespace {

namespace json = boost::json;

int list(Session& session) {
    const auto upstreams = session.ask("GET", "/v1/upstreams");
    if (!upstreams) return session.code;
    if (session.json) {
        std::cout << json::serialize(*upstreams) << '\n';
        return EX_OK;
    }
    const auto groups = session.ask("GET", "/v1/groups");
    if (!groups) return session.code;
    const std::string more = group_table(groups->as_array());
    std::cout << upstream_table(upstreams->as_array()) << (more.empty() ? "" : "\n") << more;
    return EX_OK;
}

std::string tested_words(const std::string& name, const json::value& answer) {
    const std::string error = text(answer, "error");
    const std::string state = text(answer, "state");
    std::string words = name + ": " + (error.empty() ? "connects and signs in" : error);
    if (answer.at("ended_suspension").as_bool()) words += "; it was suspended and is open again";
    words += '\n';
    if (state == "inactive")
        words += "note: upstream " + name + " is not active (`active: false`)\n";
    else if (state != "open")
        words += "note: upstream " + name + " is still " + state +
                 "; `outpostctl upstream resume " + name + "` ends that\n";
    return words;
}

int change(Session& session, const std::string& what, const std::string& name) {
    const auto answer = session.ask("POST", "/v1/upstreams/" + name + "/" + what);
    if (!answer) return session.code;
    const bool tested = what == "test";
    const bool ok = !tested || answer->at("ok").as_bool();
    if (session.json) {
        std::cout << json::serialize(*answer) << '\n';
    } else if (tested) {
        std::cout << tested_words(name, *answer);
    } else {
        std::cout << name << ": " << text(*answer, "state") << '\n';
    }
    return ok ? EX_OK : EX_TEMPFAIL;
}

}  // namespace

void add_upstream(CLI::App& app, Session& session) {
    CLI::App* const upstream = app.add_subcommand("upstream", "Where mail goes");
    upstream->require_subcommand(1);
    upstream->add_subcommand("list", "State, limits used, what is wrong")->callback([&session] {
        session.run = [&session] { return list(session); };
    });
    const auto add = [&](const char* what, const char* help) {
        const auto name = std::make_shared<std::string>();
        CLI::App* const command = upstream->add_subcommand(what, help);
        command->add_option("name", *name, "The upstream")->required();
        command->callback([&session, what, name] {
            session.run = [&session, what, name] { return change(session, what, *name); };
        });
    };
    add("pause", "Send nothing there until it is resumed");
    add("resume", "End a pause, a suspension or a back-off");
    add("test", "Connect and sign in without sending mail");
    add_send_test(*upstream, session);
}

}  // namespace outpost::ctl
