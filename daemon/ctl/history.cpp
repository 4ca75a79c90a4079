#include <fmt/format.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "control/table.hpp"
#include "ctl/commands.hpp"
#include "ctl/text.hpp"

namespace outpost::ctl {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_page = 1000;

struct Wanted {
    control::Query query;
    std::size_t limit = 0;  ///< 0: not said
    bool follow = false;
};

/// Seconds of a stage.
std::string seconds(const json::value& event, const char* stage) {
    return fmt::format("{:.3f}", event.at("latency").at(stage).to_number<double>());
}

/// `0.010/0.000/0.002/0.000/0.100`: queue, read, connect, greeting, transfer.
std::string stages(const json::value& event) {
    std::string all;
    for (const char* const stage : {"queue", "read", "connect", "greeting", "transfer"})
        all += (all.empty() ? "" : "/") + seconds(event, stage);
    return all;
}

std::vector<std::string> cells(const json::value& event) {
    return {text(event, "time"),     text(event, "id"),           text(event, "result"),
            text(event, "account"),  text(event, "sender"),       text(event, "recipient"),
            text(event, "upstream"), text(event, "remote"),       seconds(event, "total"),
            stages(event),           text(event, "next_attempt"), text(event, "reply")};
}

std::vector<std::string> columns() {
    return {
        "TIME",      "ID",       "RESULT", "ACCOUNT",  "SENDER",
        "RECIPIENT", "UPSTREAM", "REMOTE", "DELAY(s)", "QUEUE/READ/CONNECT/GREETING/TRANSFER(s)",
        "NEXT",      "REPLY"};
}

/// For lines that follow one another, whose columns are not known to be as wide.
std::string heading() {
    std::string line;
    for (const std::string& column : columns()) line += (line.empty() ? "" : "  ") + column;
    return line + '\n';
}

std::string table_of(const json::array& events) {
    control::Table table(columns());
    for (const json::value& event : events) table.add(cells(event));
    return table.empty() ? "nothing is known\n" : table.text();
}

/// The newest `count`, the oldest of them first. `last`: from where to follow.
std::optional<json::array> newest(Session& session, control::Query query, std::size_t count,
                                  std::string& last) {
    json::array events;
    while (events.size() < count) {
        query["limit"] = std::to_string(std::min(count - events.size(), longest_page));
        const auto page = session.ask("GET", "/v1/history", query);
        if (!page) return std::nullopt;
        if (last.empty()) last = text(*page, "last");
        for (const json::value& event : page->at("events").as_array()) events.push_back(event);
        if (page->at("before").is_null()) break;
        query["before"] = text(*page, "before");
    }
    std::ranges::reverse(events);
    return events;
}

/// One line an event, written at once: whoever reads along never sees half a line.
void print_lines(const Session& session, const json::array& events) {
    std::string out;
    for (const json::value& event : events) {
        if (session.json) {
            out += json::serialize(event);
        } else {
            bool first = true;
            for (const std::string& cell : cells(event)) {
                if (!std::exchange(first, false)) out += "  ";
                out += cell.empty() ? "-" : base::printable(cell, 512);
            }
        }
        out += '\n';
    }
    std::cout << out << std::flush;
}

/// Until it is interrupted, or the daemon ends.
int follow(Session& session, control::Query query, std::string last) {
    query.erase("until");
    query["wait"] = "1";
    query["limit"] = std::to_string(longest_page);
    for (;;) {
        query["after"] = last;
        const auto page = session.ask("GET", "/v1/history", query);
        if (!page) return session.code;
        print_lines(session, page->at("events").as_array());
        if (!std::cout) return EX_OK;  // nobody reads any more
        last = text(*page, "last");
    }
}

int history(Session& session, const Wanted& wanted) {
    constexpr std::size_t usual = 100;
    constexpr std::size_t usual_before_following = 10;
    const std::size_t count = wanted.limit > 0 ? wanted.limit
                              : wanted.follow  ? usual_before_following
                                               : usual;
    if (wanted.follow)
        for (const int number : {SIGINT, SIGTERM})
            signal(number, [](int) { _exit(EX_OK); });  // lines are out as a whole
    std::string last;
    // One more than shown: whether there are more.
    auto events = newest(session, wanted.query, count + 1, last);
    if (!events) return session.code;
    const bool more = events->size() > count;
    if (more) events->erase(events->begin());
    if (wanted.follow) {
        if (!session.json) std::cout << heading();
        print_lines(session, *events);
        return follow(session, wanted.query, last);
    }
    std::cout << (session.json ? json::serialize(*events) + "\n" : table_of(*events));
    if (more)
        std::cerr << "outpostctl: these are the newest " << count
                  << "; there are more, which --limit or filters show\n";
    return EX_OK;
}

}  // namespace

void add_history(CLI::App& app, Session& session) {
    CLI::App* const command = app.add_subcommand(
        "history", "What happened to messages: attempts, and what operators did");
    command->footer(
        "DELAY is from arrival to the end of the attempt; then the seconds in the queue, to read, "
        "to\n"
        "connect, to greet and sign in, and to hand over.\n"
        "Examples:\n"
        "  outpostctl history --rcpt ann@example.org --since 2h\n"
        "  outpostctl history --id 0YGJ1ABCDE\n"
        "  outpostctl history --result bounced --since 2026-11-21 --limit 1000\n"
        "  outpostctl history --follow --upstream office\n"
        "  outpostctl --json history --account newsletter --until 1d");
    const auto wanted = std::make_shared<Wanted>();
    const auto add = [&](const char* option, const char* key, const char* help) {
        command->add_option_function<std::string>(
            option, [wanted, key](const std::string& value) { wanted->query[key] = value; }, help);
    };
    add("--id", "id", "Of this message");
    add("--rcpt", "rcpt", "To this address, or to a domain: @example.org");
    add("--sender", "sender", "From this address or domain");
    add("--account", "account", "Of this account");
    add("--upstream", "upstream", "By this upstream");
    add("--result", "result",
        "delivered, deferred, uncertain, \"passed on\", bounced, dropped, expired, damaged, "
        "cancelled, held, released, retried, moved or priority");
    add("--since", "since", "From then on: 2h (ago), 2026-11-21, 2026-11-21T14:00:00Z");
    add("--until", "until", "Up to then");
    command->add_option("--limit", wanted->limit, "The newest so many; 100 unless said otherwise")
        ->check(CLI::PositiveNumber);
    command->add_flag("--follow,-f", wanted->follow,
                      "Go on with what happens, until it is interrupted");
    command->callback([&session, wanted] {
        session.run = [&session, wanted] { return history(session, *wanted); };
    });
}

}  // namespace outpost::ctl
