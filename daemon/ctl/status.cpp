#include <sysexits.h>

#include <boost/json/serialize.hpp>
#include <iostream>

#include "control/table.hpp"
#include "ctl/commands.hpp"
#include "ctl/text.hpp"

namespace outpost::ctl {
namespace {

int status(Session& session) {
    const auto answer = session.ask("GET", "/v1/status");
    if (!answer) return session.code;
    if (session.json) {
        std::cout << boost::json::serialize(*answer) << '\n';
        return EX_OK;
    }
    std::cout << "outpostd " << text(*answer, "version") << " on " << text(*answer, "hostname")
              << ", since " << text(*answer, "started") << '\n';
    const bool accepting = answer->at("accepting").as_bool();
    std::cout << (accepting ? "takes mail" : "takes no mail: " + text(*answer, "reason")) << '\n';
    const auto& limits = answer->at("limits");
    if (const std::string state = text(limits, "state"); state == "shared")
        std::cout << "limits are shared with other nodes\n";
    else if (state != "local")
        std::cout << "limits are this node's own share: " << text(limits, "reason") << '\n';
    std::cout << text(*answer, "queued") << " messages in the queue";
    if (const std::string oldest = text(*answer, "oldest"); !oldest.empty())
        std::cout << ", the oldest since " << oldest;
    std::cout << "\n\n" << upstream_table(answer->at("upstreams").as_array());
    if (const std::string groups = group_table(answer->at("groups").as_array()); !groups.empty())
        std::cout << '\n' << groups;
    return EX_OK;
}

}  // namespace

void add_status(CLI::App& app, Session& session) {
    app.add_subcommand("status", "What the daemon does: queue, upstreams, whether it takes mail")
        ->callback([&session] { session.run = [&session] { return status(session); }; });
}

}  // namespace outpost::ctl
