// outpostctl: what an operator does beside editing the configuration. See outpostctl --help.

#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "account/scram.hpp"
#include "base/secret.hpp"
#include "base/text.hpp"
#include "config/loader.hpp"
#include "ctl/commands.hpp"
#include "version.hpp"

namespace outpost {
namespace {

/// Keeps what is typed off the screen while it lives.
class HiddenInput {
  public:
    HiddenInput() : active_(tcgetattr(STDIN_FILENO, &saved_) == 0) {
        if (!active_) return;
        termios hidden = saved_;
        hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    ~HiddenInput() {
        if (active_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved_);
    }
    HiddenInput(const HiddenInput&) = delete;
    HiddenInput& operator=(const HiddenInput&) = delete;

  private:
    termios saved_{};
    bool active_;
};

base::Secret read_password(const char* prompt) {
    std::string line;
    if (isatty(STDIN_FILENO) != 0) {
        std::cerr << prompt << std::flush;
        const HiddenInput hidden;
        std::getline(std::cin, line);
        std::cerr << '\n';
    } else {
        std::getline(std::cin, line);
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return base::Secret(std::move(line));
}

int hash_password(const ctl::Session& session) {
    const auto password = read_password("Password: ");
    if (password.empty())
        return session.fail("the password is empty; type one, or pipe one line to standard input",
                            EX_DATAERR);
    if (isatty(STDIN_FILENO) != 0) {
        const auto again = read_password("Again: ");
        if (again.reveal() != password.reveal())
            return session.fail("the two passwords differ; nothing was made", EX_DATAERR);
    }
    std::cout << account::scram::make(password.reveal()).text() << '\n';
    return EX_OK;
}

int check_config(const ctl::Session& session, const std::string& file) {
    std::vector<std::string> faults;
    if (const auto config = config::load(file); !config)
        for (const auto& diagnostic : config.error()) faults.push_back(diagnostic.text());
    if (!faults.empty()) return session.fail(faults, EX_CONFIG);
    std::cout << (session.json ? std::string(R"({"errors":[]})") : file + ": ok") << '\n';
    return EX_OK;
}

/// The first word that no command took; empty if there is none.
std::string unknown_word(const CLI::App& app) {
    for (const std::string& word : app.remaining(true))
        if (!word.starts_with('-')) return word;
    return {};
}

int refuse(const CLI::App& app, const CLI::ParseError& error, const ctl::Session& session) {
    // --help and --version end here too.
    if (error.get_exit_code() == 0) return app.exit(error);
    std::string words = error.what();
    if (const std::string word = unknown_word(app); !word.empty())
        words = "there is no command " + base::printable(word, 64) + "; see outpostctl --help";
    if (session.json || words != error.what()) return session.fail(words, EX_USAGE);
    app.exit(error);
    return EX_USAGE;
}

int run(int argc, char** argv) {
    CLI::App app{"Works beside outpostd."};
    app.set_version_flag("--version", std::string("outpostctl ") + version);
    app.require_subcommand(1);
    ctl::Session session;
    app.add_option("--socket", session.socket, "The daemon's control socket (control.socket)")
        ->capture_default_str()
        ->envname("OUTPOST_SOCKET");
    app.add_flag("--json", session.json, "Print JSON instead of tables");
    app.add_option("--reason", session.reason, "Why; it goes to the log with what is changed");
    app.fallthrough();
    ctl::add_status(app, session);
    ctl::add_queue(app, session);
    ctl::add_history(app, session);
    ctl::add_route(app, session);
    ctl::add_upstream(app, session);
    ctl::add_account(app, session);
    ctl::add_reload(app, session);
    app.footer(
        "Examples:\n"
        "  outpostctl status\n"
        "  outpostctl why 0YGJ1ABCDE                why this message is not out yet\n"
        "  outpostctl history --rcpt ann@example.org --since 2h\n"
        "  outpostctl upstream test office\n"
        "  outpostctl account add shop --domains example.com\n"
        "  outpostctl reload                        use the configuration as it is now\n"
        "  outpostctl hash-password                 asks twice, prints a line for password_hash\n"
        "  pwgen -s 24 1 | outpostctl hash-password\n"
        "  outpostctl config check /etc/outpost/outpost.yaml");

    app.add_subcommand("hash-password",
                       "Read a password and print what `password_hash` of an account takes");
    auto* config = app.add_subcommand("config", "Work with the configuration");
    config->require_subcommand(1);
    auto* check = config->add_subcommand("check", "Report every fault of a configuration file");
    std::string file = "/etc/outpost/outpost.yaml";
    check->add_option("file", file, "The file")->capture_default_str();

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        // It may stand behind what could not be read.
        session.json |= std::any_of(
            argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
        return refuse(app, e, session);
    }
    if (session.run) return session.run();
    return check->parsed() ? check_config(session, file) : hash_password(session);
}

}  // namespace
}  // namespace outpost

int main(int argc, char** argv) {
    try {
        return outpost::run(argc, argv);
    } catch (const std::exception& e) {
        std::cerr << "outpostctl: " << e.what() << '\n';
        return EX_SOFTWARE;
    }
}
