#include <sysexits.h>

#include <boost/json/serialize.hpp>
#include <iostream>
#include <memory>

#include "config/account_settings.hpp"
#include "control/table.hpp"
#include "ctl/commands.hpp"
#include "ctl/text.hpp"

namespace outpost::ctl {
namespace {

namespace json = boost::json;

/// `10 of 2000 (daily 2000)`, with `; ` between them.
std::string used(const json::value& account) {
    std::string all;
    for (const json::value& level : account.at("limits").as_array()) {
        if (!all.empty()) all += "; ";
        all += text(level, "limit") + ": " + text(level, "used") + " used";
        if (const std::string resets = text(level, "resets"); !resets.empty())
            all += ", resets " + resets;
    }
    return all;
}

std::string used_briefly(const json::value& account) {
    std::string all;
    for (const json::value& level : account.at("limits").as_array())
        all += (all.empty() ? "" : ", ") + text(level, "used") + "/" + text(level, "most");
    return all;
}

int list(Session& session) {
    const auto accounts = session.ask("GET", "/v1/accounts");
    if (!accounts) return session.code;
    if (session.json) {
        std::cout << json::serialize(*accounts) << '\n';
        return EX_OK;
    }
    control::Table table({"ACCOUNT", "ORIGIN", "STATE", "PRIO", "ROUTE", "QUEUED", "USED", "NOTE"});
    for (const json::value& one : accounts->as_array())
        table.add({text(one, "name"), text(one, "origin"), text(one, "state"),
                   text(one, "priority"), text(one, "route"), text(one, "queued"),
                   used_briefly(one), text(one, "note")});
    std::cout << (table.empty() ? "no accounts; make one with: outpostctl account add NAME\n"
                                : table.text());
    return EX_OK;
}

int show(Session& session, const std::string& name) {
    const auto account = session.ask("GET", "/v1/account", {{"name", name}});
    if (!account) return session.code;
    if (session.json) {
        std::cout << json::serialize(*account) << '\n';
        return EX_OK;
    }
    for (const auto& [key, value] : account->as_object()) {
        const std::string shown = key == "limits"     ? used(*account)
                                  : value.is_object() ? std::string()
                                                      : text(*account, key);
        if (value.is_object())
            for (const auto& [inner, each] : value.as_object()) {
                if (!each.is_null())
                    std::cout << key << "." << inner << ": " << text(value, inner) << '\n';
            }
        else if (!shown.empty())
            std::cout << key << ": " << shown << '\n';
    }
    return EX_OK;
}

/// What is typed into a mail client.
void print_credentials(const json::value& answer, bool added) {
    const std::string name = text(answer, "name");
    std::cout << (added ? "Account " : "New password for account ") << name
              << (added ? " was added" : "") << ". Settings for the client:\n\n"
              << "  server    " << text(answer, "server") << '\n';
    for (const json::value& listener : answer.at("listeners").as_array()) {
        const std::string tls = text(listener, "tls");
        std::cout << "  port      " << text(listener, "ports") << " with "
                  << (tls == "starttls"   ? "STARTTLS"
                      : tls == "implicit" ? "TLS from the start (SSL/TLS)"
                                          : "no encryption")
                  << '\n';
    }
    std::cout << "  user      " << name << "\n  password  " << text(answer, "password")
              << "\n\nThe password cannot be shown again.\n";
    const std::string senders = text(answer, "senders");
    std::cout << (senders.empty() ? "It may send as nobody yet: outpostctl account set " + name +
                                        " --domains DOMAIN"
                                  : "It may send as " + senders)
              << '\n';
}

/// A change of an account: `set`, ...
int change(Session& session, const std::string& what, const control::Query& query) {
    const auto answer = session.ask("POST", "/v1/accounts/" + what, query);
    if (!answer) return session.code;
    if (session.json) {
        std::cout << json::serialize(*answer) << '\n';
    } else if (answer->as_object().contains("password")) {
        print_credentials(*answer, what == "add");
    } else {
        std::cout << text(*answer, "name") << ": " << text(*answer, "state") << '\n';
    }
    return EX_OK;
}

struct Parent {
    CLI::App& account;
    Session& session;

    CLI::App& add(const char* what, const char* help, bool settings = false) const {
        const auto query = std::make_shared<control::Query>();
        CLI::App* const command = account.add_subcommand(what, help);
        command
            ->add_option_function<std::string>(
                "name", [query](const std::string& name) { (*query)["name"] = name; },
                "The account")
            ->required();
        if (settings) {
            for (const auto& option : config::account_options())
                command->add_option_function<std::string>(
                    "--" + std::string(option.name),
                    [query, name = std::string(option.name)](const std::string& value) {
                        (*query)[name] = value;
                    },
                    std::string(option.help));
        }
        command->callback([&own = session, what = std::string(what), query] {
            own.run = [&own, what, query] { return change(own, what, *query); };
        });
        return *command;
    }
};

}  // namespace

void add_account(CLI::App& app, Session& session) {
    CLI::App* const account = app.add_subcommand("account", "Who may submit mail");
    account->require_subcommand(1);
    account->add_subcommand("list", "All accounts, with what they have used")->callback([&session] {
        session.run = [&session] { return list(session); };
    });
    const auto name = std::make_shared<std::string>();
    CLI::App* const shown =
        account->add_subcommand("show", "All settings of one, what it has used and has queued");
    shown->add_option("name", *name, "The account")->required();
    shown->callback(
        [&session, name] { session.run = [&session, name] { return show(session, *name); }; });
    const Parent parent{*account, session};
    parent.add("add", "Make an account; its password is printed once", true)
        .footer(
            "What is not set is inherited from accounts.defaults of the configuration.\n"
            "Example: outpostctl account add shop --domains \"example.com;.example.org\" --quota "
            "10000/day --reason \"ticket 4711\"");
    parent.add("set", "Change settings; an empty value is what is inherited", true)
        .footer("Example: outpostctl account set shop --rate \"1200/h;80MB/5m\" --note \"\"");
    parent.add("reset-password", "A new password, printed once; open sessions end");
    parent.add("disable", "Refuse it until it is enabled; open sessions end");
    parent.add("enable", "End that");
    parent.add("remove", "For good; what it has queued is still delivered");
    account->footer(
        "Examples:\n"
        "  outpostctl account list\n"
        "  outpostctl account add shop --domains example.com --priority 2\n"
        "  outpostctl account set shop --quota \"500/hour;10000/day\" --when-exceeded hold\n"
        "  outpostctl account show shop");
}

}  // namespace outpost::ctl
