#pragma once

#include <CLI/CLI.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "control/client.hpp"

/// The commands of outpostctl that speak to the daemon. Each adds itself to the command line and
/// leaves what to run in `Session::run`.
namespace outpost::ctl {

struct Session {
    std::string socket = "/run/outpost/control.sock";
    bool json = false;
    std::string reason;
    std::function<int()> run;  ///< set by the command that was given; an exit code of sysexits.h

    /// The answer's JSON; nothing, with the error printed and `code` set, if there is none.
    std::optional<boost::json::value> ask(std::string_view method, std::string_view path,
                                          control::Query query = {}, std::string body = {});
    /// The same for an answer that is no JSON.
    std::optional<std::string> fetch(std::string_view path);
    int code = 0;  ///< of the last ask() or fetch()

    /// Says what went wrong: to standard error, or with --json as {"error": ...} to standard
    /// output. The result is `exit_code`.
    int fail(std::string_view words, int exit_code) const;
    /// The same of the faults of a configuration; as {"errors": [...]}.
    int fail(std::span<const std::string> faults, int exit_code) const;
};

void add_status(CLI::App& app, Session& session);
void add_queue(CLI::App& app, Session& session);
void add_history(CLI::App& app, Session& session);
void add_route(CLI::App& app, Session& session);
void add_upstream(CLI::App& app, Session& session);
/// To the command `upstream`.
void add_send_test(CLI::App& upstream, Session& session);
void add_account(CLI::App& app, Session& session);
void add_reload(CLI::App& app, Session& session);

}  // namespace outpost::ctl
