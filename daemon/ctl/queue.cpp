#include <sysexits.h>

#include <boost/json/serialize.hpp>
#include <iostream>
#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "control/about_time.hpp"
#include "control/table.hpp"
#include "ctl/commands.hpp"
#include "ctl/text.hpp"

namespace outpost::ctl {
namespace {

namespace json = boost::json;

/// Messages that the daemon lists in one answer, less one.
constexpr std::size_t longest_list = 10'000;

/// Which messages a command is for.
struct Selection {
    std::vector<std::string> ids;
    control::Query query;
    bool all = false;
    std::size_t limit = 100;  ///< of a list
};

int print(const Session& session, const json::value& value, const std::string& table) {
    std::cout << (session.json ? json::serialize(value) + "\n" : table);
    return EX_OK;
}

std::string message_table(const json::array& messages) {
    control::Table table({"ID", "ACCOUNT", "SENDER", "RECIPIENTS", "PRIO", "STATE", "UPSTREAM",
                          "RECEIVED", "SIZE", "REASON"});
    for (const json::value& one : messages)
        table.add({text(one, "id"), text(one, "account"), text(one, "sender"),
                   text(one, "recipients"), text(one, "priority"), text(one, "state"),
                   text(one, "upstream"), text(one, "received"), text(one, "size"),
                   text(one, "reason")});
    return table.empty() ? "no messages\n" : table.text();
}

/// `about 14:32 UTC`, `about 3 days, 2026-11-25`, or why that cannot be said.
std::string when_empty(const json::value& way) {
    const std::string at = text(way, "empty_at");
    if (at.empty()) return text(way, "empty_why");
    const auto time = base::parse_rfc3339(at);
    return time ? control::about(*time, base::SystemClock().wall()) : at;
}

int summary(Session& session) {
    const auto queue = session.ask("GET", "/v1/queue");
    if (!queue) return session.code;
    control::Table ways(
        {"UPSTREAM", "READY", "LIMITED", "WAITING", "HELD", "SENDING", "OLDEST", "EMPTY"});
    const auto add = [&](const json::value& way, const std::string& name) {
        ways.add({name, text(way, "ready"), text(way, "limited"), text(way, "waiting"),
                  text(way, "held"), text(way, "sending"), text(way, "oldest"), when_empty(way)});
    };
    for (const json::value& way : queue->at("upstreams").as_array())
        add(way, text(way, "upstream"));
    add(queue->at("total"), "(all)");
    control::Table table({"UPSTREAM", "ACCOUNT", "PRIO", "READY", "LIMITED", "WAITING", "SENDING"});
    for (const json::value& row : queue->at("rows").as_array())
        table.add({text(row, "upstream"), text(row, "account"), text(row, "priority"),
                   text(row, "ready"), text(row, "limited"), text(row, "waiting"),
                   text(row, "sending")});
    return print(session, *queue,
                 table.empty() ? "the queue is empty\n" : ways.text() + "\n" + table.text());
}

int list(Session& session, const Selection& selection) {
    // One more than shown: whether there are more.
    control::Query query = selection.query;
    query["limit"] = std::to_string(selection.limit + 1);
    auto messages = session.ask("GET", "/v1/queue/messages", query);
    if (!messages) return session.code;
    const bool more = messages->as_array().size() > selection.limit;
    if (more) messages->as_array().resize(selection.limit);
    print(session, *messages, message_table(messages->as_array()));
    if (more)
        std::cerr << "outpostctl: these are the oldest " << selection.limit
                  << "; there are more, which --limit or filters show\n";
    return EX_OK;
}

int show(Session& session, const std::string& id) {
    const auto parts = session.ask("GET", "/v1/queue/messages/" + id);
    if (!parts) return session.code;
    std::string out;
    for (const json::value& part : parts->as_array())
        for (const auto& [key, value] : part.as_object())
            out += std::string(key) + ": " + text(part, key) + "\n";
    return print(session, *parts, out);
}

int why(Session& session, const std::string& id) {
    const auto answer = session.ask("GET", "/v1/queue/messages/" + id + "/why");
    if (!answer) return session.code;
    return print(session, *answer, text(*answer, "why") + "\n");
}

int cat(Session& session, const std::string& id) {
    const auto octets = session.fetch("/v1/queue/messages/" + id + "/content");
    if (!octets) return session.code;
    std::cout << *octets;
    return EX_OK;
}

/// `3 messages`
std::string counted(const json::value& some) {
    const std::int64_t count = some.at("messages").as_int64();
    return std::to_string(count) + (count == 1 ? " message" : " messages");
}

/// `: 0YGJ1ABCDE,0YGJ1ABCDF, ...`; empty if none is named.
std::string named(const json::value& some) {
    const auto& ids = some.at("ids").as_array();
    if (ids.empty()) return {};
    const bool more = std::cmp_less(ids.size(), some.at("messages").as_int64());
    return ": " + text(some, "ids") + (more ? ", ..." : "");
}

/// Of a change by ids: EX_NOINPUT if one of them is not in the queue, EX_TEMPFAIL if none could be
/// changed just now.
int outcome(const json::value& changed) {
    bool put_off = false;
    for (const json::value& some : changed.at("skipped").as_array()) {
        const std::string why = text(some, "why");
        if (why == "not in the queue") return EX_NOINPUT;
        put_off = put_off || why != "already so";
    }
    return put_off && changed.at("messages").as_int64() == 0 ? EX_TEMPFAIL : EX_OK;
}

int change(Session& session, const std::string& what, const Selection& selection) {
    control::Query query = selection.query;
    std::string ids;
    for (const std::string& id : selection.ids) ids += (ids.empty() ? "" : ",") + id;
    if (!ids.empty()) query["id"] = ids;
    if (selection.all) query["all"] = "1";
    const auto changed = session.ask("POST", "/v1/queue/" + what, query);
    if (!changed) return session.code;
    const bool dry_run = changed->at("dry_run").as_bool();
    std::string out =
        counted(*changed) + (dry_run ? " would be changed" + named(*changed) : " changed");
    for (const json::value& some : changed->at("skipped").as_array())
        out += "\n" + counted(some) + " left alone, " + text(some, "why") + named(some);
    print(session, *changed, out + "\n");
    return selection.ids.empty() ? EX_OK : outcome(*changed);
}

/// Options that choose messages go into the query under their own names.
void add_filters(CLI::App& command, const std::shared_ptr<Selection>& selection) {
    const auto add = [&](const char* option, const char* key, const char* help) {
        command.add_option_function<std::string>(
            option, [selection, key](const std::string& value) { selection->query[key] = value; },
            help);
    };
    add("--account", "account", "Of this account");
    add("--sender", "sender", "From this address, or from a domain: @example.com");
    add("--rcpt", "rcpt", "To this address or domain");
    add("--upstream", "upstream", "On this way: an upstream or a group");
    add("--state", "state", "ready, limited, waiting, held, sending or reporting");
    add("--why", "why", "With this in the reason that `why` gives, or in the last reply");
    add("--older", "older", "That have been here for so long: 2h");
    add("--of-priority", "priority", "Of this priority, 1 to 5");
}

/// Completes a command that changes messages; what it takes of its own is there already.
void add_change(CLI::App& command, Session& session, const std::shared_ptr<Selection>& selection) {
    command.add_option("id", selection->ids, "Message ids");
    add_filters(command, selection);
    command.add_flag("--all", selection->all, "Every message");
    command.add_option_function<std::string>(
        "--limit", [selection](const std::string& most) { selection->query["limit"] = most; },
        "Name at most so many of them; 100 unless said otherwise");
    command.add_flag_function(
        "--dry-run", [selection](std::int64_t) { selection->query["dry_run"] = "1"; },
        "Only say which");
    command.callback([&session, what = command.get_name(), selection] {
        session.run = [&session, what, selection] { return change(session, what, *selection); };
    });
}

void add_changes(CLI::App& queue, Session& session) {
    for (const auto& [what, help] :
         {std::pair{"hold", "No attempt and no expiry until they are released"},
          std::pair{"release", "End a hold"}, std::pair{"retry", "Try them now"}})
        add_change(*queue.add_subcommand(what, help), session, std::make_shared<Selection>());

    const auto cancelled = std::make_shared<Selection>();
    CLI::App* const cancel = queue.add_subcommand("cancel", "Take them out of the queue");
    cancel->add_flag_function(
        "--bounce", [cancelled](std::int64_t) { cancelled->query["bounce"] = "1"; },
        "Tell their senders");
    add_change(*cancel, session, cancelled);

    const auto moved = std::make_shared<Selection>();
    CLI::App* const move = queue.add_subcommand("move", "Send them by another upstream or group");
    move->add_option_function<std::string>(
            "--to", [moved](const std::string& name) { moved->query["to"] = name; }, "Its name")
        ->required();
    add_change(*move, session, moved);

    const auto raised = std::make_shared<Selection>();
    CLI::App* const priority = queue.add_subcommand("priority", "Change their priority");
    priority
        ->add_option_function<std::string>(
            "level", [raised](const std::string& level) { raised->query["level"] = level; },
            "1 (highest) to 5")
        ->required();
    add_change(*priority, session, raised);
}

void add_one(CLI::App& parent, Session& session, const char* name, const char* help,
             int (*run)(Session&, const std::string&)) {
    const auto id = std::make_shared<std::string>();
    CLI::App* const command = parent.add_subcommand(name, help);
    command->add_option("id", *id, "The message's id")->required();
    command->callback(
        [&session, id, run] { session.run = [&session, id, run] { return run(session, *id); }; });
}

}  // namespace

void add_queue(CLI::App& app, Session& session) {
    CLI::App* const queue = app.add_subcommand("queue", "What waits, and what to do with it");
    queue->require_subcommand(0, 1);
    queue->footer(
        "Examples:\n"
        "  outpostctl queue                              how much waits where\n"
        "  outpostctl queue list --rcpt @gmail.com\n"
        "  outpostctl queue retry --state waiting --upstream office\n"
        "  outpostctl queue cancel --account newsletter --dry-run");
    queue->callback([&session] {
        if (!session.run) session.run = [&session] { return summary(session); };
    });
    const auto listed = std::make_shared<Selection>();
    CLI::App* const command = queue->add_subcommand("list", "Messages, the oldest first");
    add_filters(*command, listed);
    command->add_option("--limit", listed->limit, "At most so many; 100 unless said otherwise")
        ->check(CLI::Range(std::size_t{1}, longest_list));
    command->callback([&session, listed] {
        session.run = [&session, listed] { return list(session, *listed); };
    });
    add_one(*queue, session, "show", "All that is known of one message", show);
    add_one(*queue, session, "cat", "The message itself", cat);
    add_changes(*queue, session);
    add_one(app, session, "why", "Why a message is not out yet, in one sentence", why);
}

}  // namespace outpost::ctl
