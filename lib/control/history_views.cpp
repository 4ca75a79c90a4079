#include "control/history_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <chrono>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "config/units.hpp"
#include "control/json_views.hpp"

namespace outpost::control {
namespace {

namespace json = boost::json;
using history::Result;

constexpr std::size_t longest_page = 1000;
constexpr std::size_t most_named = 3;  ///< recipients with one fate
constexpr std::size_t most_fates = 5;  ///< in one sentence

double seconds(std::chrono::microseconds time) {
    return std::chrono::duration<double>(time).count();
}

template <class Number>
std::expected<void, std::string> read_number(const Request& request, std::string_view name,
                                             Number& target) {
    const std::string text = param(request, name);
    if (text.empty()) return {};
    const auto number = config::parse_number(text);
    if (!number) return std::unexpected(fmt::format("{}: {}", name, number.error()));
    target = static_cast<Number>(*number);
    return {};
}

std::expected<void, std::string> read_time(const Request& request, std::string_view name,
                                           base::WallTime now,
                                           std::optional<base::WallTime>& target) {
    const std::string text = param(request, name);
    if (text.empty()) return {};
    if (const auto ago = config::parse_duration(text))
        target = now - *ago;
    else if (const auto day = base::parse_rfc3339(text + "T00:00:00Z"))
        target = *day;
    else if (const auto time = base::parse_rfc3339(text))
        target = *time;
    else
        return std::unexpected(
            fmt::format("{}: {} is no time; write 2h (ago), 2026-11-21 or 2026-11-21T14:00:00Z",
                        name, config::in_quotes(text)));
    return {};
}

bool is_end(const history::Event& event) {
    switch (event.result) {
        case Result::delivered:
        case Result::bounced:
        case Result::dropped:
        case Result::expired:
        case Result::cancelled: return true;
        case Result::uncertain: return !event.next_attempt;
        default: return false;
    }
}

bool is_attempt(Result result) {
    return result <= Result::dropped;
}

/// Recipients to whom the same happened last.
struct Fate {
    const history::Event* event = nullptr;
    std::size_t attempts = 0;
    std::vector<std::string_view> recipients;
};

std::vector<Fate> fates(std::span<const history::Row> rows) {
    std::map<std::string_view, Fate> each;
    for (const history::Row& row : rows) {
        if (row.recipient.empty()) continue;
        Fate& fate = each[row.recipient];
        if (fate.event == nullptr) fate.event = &row.event;
        if (is_attempt(row.event.result)) ++fate.attempts;
    }
    std::map<std::tuple<Result, std::string_view, std::string_view, std::size_t>, Fate> same;
    for (const auto& [recipient, fate] : each) {
        const history::Event& event = *fate.event;
        Fate& target =
            same.try_emplace({event.result, event.upstream, event.reply, fate.attempts}, fate)
                .first->second;
        target.recipients.push_back(recipient);
    }
    std::vector<Fate> all;
    for (auto& [what, fate] : same) all.push_back(std::move(fate));
    return all;
}

std::string sentence(const Fate& fate) {
    const history::Event& event = *fate.event;
    std::string to;
    for (std::size_t i = 0; i < std::min(fate.recipients.size(), most_named); ++i)
        to += fmt::format("{}{}", i == 0 ? "" : ", ", fate.recipients[i]);
    if (fate.recipients.size() > most_named)
        to += fmt::format(" and {} more", fate.recipients.size() - most_named);
    const bool delivered = event.result == Result::delivered;
    std::string text = fmt::format("{} {} {} at {}", history::name_of(event.result),
                                   delivered ? "to" : "for", to, base::rfc3339_seconds(event.at));
    if (!event.upstream.empty()) text += " by upstream " + event.upstream;
    if (fate.attempts > 1) text += fmt::format(" after {} attempts", fate.attempts);
    if (!event.reply.empty()) text += ": " + event.reply;
    return text;
}

}  // namespace

json::value to_json(const history::Row& row) {
    const history::Event& event = row.event;
    const history::Latency& latency = event.latency;
    json::object object{{"number", row.number},
                        {"time", base::rfc3339(event.at)},
                        {"id", event.id.text()},
                        {"account", event.account},
                        {"sender", event.sender},
                        {"recipient", row.recipient},
                        {"result", history::name_of(event.result)},
                        {"upstream", event.upstream},
                        {"remote", event.remote},
                        {"reply", event.reply},
                        {"next_attempt", nullptr},
                        {"latency",
                         {{"queue", seconds(latency.queue)},
                          {"read", seconds(latency.read)},
                          {"connect", seconds(latency.connect)},
                          {"greeting", seconds(latency.greeting)},
                          {"transfer", seconds(latency.transfer)},
                          {"total", seconds(latency.total)}}}};
    if (event.next_attempt) object["next_attempt"] = base::rfc3339(*event.next_attempt);
    return object;
}

std::expected<history::Query, std::string> read_history_query(const Request& request,
                                                              base::WallTime now) {
    history::Query query{.account = param(request, "account"),
                         .sender = param(request, "sender"),
                         .recipient = param(request, "rcpt"),
                         .upstream = param(request, "upstream")};
    if (const std::string text = param(request, "id"); !text.empty()) {
        query.id = base::MessageId::parse(text);
        if (!query.id)
            return std::unexpected("\"" + base::printable(text, 32) +
                                   "\" is not a message id; ids have ten letters and digits");
    }
    if (const std::string text = param(request, "result"); !text.empty()) {
        query.result = history::parse_result(text);
        if (!query.result) return std::unexpected("result is one of " + history::all_results());
    }
    std::int64_t after = -1;
    std::int64_t before = -1;
    for (const auto& read :
         {read_time(request, "since", now, query.since),
          read_time(request, "until", now, query.until), read_number(request, "limit", query.limit),
          read_number(request, "after", after), read_number(request, "before", before)})
        if (!read) return std::unexpected(read.error());
    if (after >= 0) query.after = after;
    if (before >= 0) query.before = before;
    query.limit = std::clamp<std::size_t>(query.limit, 1, longest_page);
    return query;
}

std::string what_became(std::span<const history::Row> rows) {
    for (const history::Row& row : rows)
        if (row.event.result == Result::damaged)
            return fmt::format("could not be read back at {} and was set aside: {}",
                               base::rfc3339_seconds(row.event.at), row.event.reply);
    const std::vector<Fate> all = fates(rows);
    if (all.empty()) return {};
    std::string text =
        std::ranges::all_of(all, [](const Fate& fate) { return is_end(*fate.event); })
            ? "has left the queue: "
            : "is not in the queue, and its end was not written down; the last that is known: ";
    for (std::size_t i = 0; i < std::min(all.size(), most_fates); ++i)
        text += (i == 0 ? "" : "; ") + sentence(all[i]);
    if (all.size() > most_fates)
        text += fmt::format("; and {} more, which `outpostctl history --id {}` shows",
                            all.size() - most_fates, rows.front().event.id.text());
    return text;
}

}  // namespace outpost::control
