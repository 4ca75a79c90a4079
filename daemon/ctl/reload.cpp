#include <sysexits.h>

#include <boost/json/serialize.hpp>
#include <iostream>

#include "ctl/commands.hpp"

namespace outpost::ctl {
namespace {

int reload(Session& session) {
    const auto answer = session.ask("POST", "/v1/reload");
    if (!answer) return session.code;
    if (session.json) {
        std::cout << boost::json::serialize(*answer) << '\n';
        return EX_OK;
    }
    const auto& changes = answer->at("changes").as_array();
    if (changes.empty()) std::cout << "loaded again; nothing has changed\n";
    for (const auto& change : changes) std::cout << change.as_string().c_str() << '\n';
    return EX_OK;
}

}  // namespace

void add_reload(CLI::App& app, Session& session) {
    app.add_subcommand("reload", "Use the configuration as it is now; all of it, or nothing")
        ->footer(
            "Prints what has changed. A configuration with a fault changes nothing, and the faults "
            "are printed.\nExample: outpostctl --reason \"ticket 4711\" reload")
        ->callback([&session] { session.run = [&session] { return reload(session); }; });
}

}  // namespace outpost::ctl
