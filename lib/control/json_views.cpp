#include "control/json_views.hpp"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <map>
#include <utility>

#include "base/text.hpp"
#include "config/units.hpp"

namespace outpost::control {
namespace {

namespace json = boost::json;

std::string_view words(delivery::QueueChanged::Why why) {
    using enum delivery::QueueChanged::Why;
    switch (why) {
        case sending: return "being sent just now";
        case busy: return "another part of it, a report about it or another change is under way";
        case gone: return "left the queue meanwhile";
        case already: return "already so";
        case absent: return "not in the queue";
    }
    return "";
}

/// How many there are, and the first of them.
struct Counted {
    std::uint64_t messages = 0;
    json::array ids{};
    void add(base::MessageId id, std::size_t most) {
        ++messages;
        if (ids.size() < most) ids.emplace_back(id.text());
    }
};

bool flag(const Request& request, std::string_view name) {
    const std::string value = param(request, name);
    return value == "1" || value == "true";
}

std::expected<std::uint8_t, std::string> read_priority(std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > 5)
        return std::unexpected("a priority is 1 (highest) to 5, not \"" +
                               base::printable(text, 32) + "\"");
    return static_cast<std::uint8_t>(value);
}

}  // namespace

std::string param(const Request& request, std::string_view name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
}

std::string reason_of(const Request& request) {
    return base::printable(param(request, "reason"), 256);
}

std::string asked_for(const Request& request) {
    constexpr std::array<std::string_view, 3> others{"reason", "dry_run", "limit"};
    constexpr std::size_t most_ids = 5;
    std::string all;
    for (const auto& [key, value] : request.query) {
        if (std::ranges::find(others, key) != others.end()) continue;
        std::string shown = value;
        if (const auto ids = base::split_list(value, ','); key == "id" && ids.size() > most_ids) {
            shown.clear();
            for (std::size_t i = 0; i < most_ids; ++i) shown += ids[i] + ",";
            shown += "...";
        }
        all += (all.empty() ? "" : " ") + key + "=" + shown;
    }
    return base::printable(all, 512);
}

json::value to_json(const std::vector<limit::Level>& levels) {
    json::array all;
    for (const limit::Level& level : levels)
        all.push_back({{"limit", level.limit},
                       {"used", level.used},
                       {"most", level.most},
                       {"resets", to_json(level.resets)}});
    return all;
}

json::value to_json(const delivery::RouteView& view) {
    json::array upstreams;
    for (const auto& each : view.upstreams) upstreams.push_back(to_json(each));
    return {{"via", view.way},
            {"because", view.because},
            {"strategy", view.strategy},
            {"upstreams", std::move(upstreams)}};
}

json::value to_json(const std::optional<base::WallTime>& at) {
    if (!at) return nullptr;
    return json::string(base::rfc3339(*at));
}

json::value to_json(const delivery::UpstreamView& view) {
    json::object object{{"name", view.name},
                        {"state", view.state},
                        {"reason", view.reason},
                        {"since", to_json(view.since)},
                        {"next_try", to_json(view.next_try)},
                        {"in_flight", view.in_flight},
                        {"concurrency", view.concurrency},
                        {"concurrency_configured", view.concurrency_configured},
                        {"ready", view.ready},
                        {"limited", view.limited},
                        {"waiting", view.waiting},
                        {"limits", to_json(view.limits)},
                        {"waits_for", view.waits_for},
                        {"waits_until", to_json(view.waits_until)},
                        {"waits_kept_for", view.waits_kept_for},
                        {"last_error", view.last_error},
                        {"last_error_at", to_json(view.last_error_at)}};
    object["idle_connections"] =
        view.idle_connections ? json::value(*view.idle_connections) : json::value(nullptr);
    object["speed"] = view.speed ? json::value(*view.speed) : json::value(nullptr);
    object["limited_accounts"] =
        json::array(view.limited_accounts.begin(), view.limited_accounts.end());
    return object;
}

json::value to_json(const delivery::GroupView& view) {
    return {{"name", view.name},
            {"strategy", view.strategy},
            {"members", json::array(view.members.begin(), view.members.end())},
            {"ready", view.ready},
            {"limited", view.limited},
            {"waiting", view.waiting},
            {"sending", view.in_flight}};
}

json::value to_json(const delivery::MessageView& view) {
    json::array recipients;
    for (const std::string& recipient : view.recipients) recipients.emplace_back(recipient);
    return {{"id", view.id.text()},
            {"account", view.account},
            {"sender", view.sender},
            {"recipients", std::move(recipients)},
            {"priority", view.priority},
            {"state", view.state},
            {"upstream", view.way},
            {"reason", view.reason},
            {"next_attempt", to_json(view.next_attempt)},
            {"received", to_json(std::optional(view.received))},
            {"size", view.size},
            {"attempts", view.attempts}};
}

json::value to_json(const delivery::QueueRow& row) {
    return {{"upstream", row.way},     {"account", row.account}, {"priority", row.priority},
            {"ready", row.ready},      {"limited", row.limited}, {"waiting", row.waiting},
            {"sending", row.in_flight}};
}

json::value to_json(const delivery::WayOutlook& outlook) {
    return {{"upstream", outlook.way},
            {"ready", outlook.ready},
            {"limited", outlook.limited},
            {"waiting", outlook.waiting},
            {"held", outlook.held},
            {"sending", outlook.in_flight},
            {"recipients", outlook.recipients},
            {"oldest", to_json(outlook.oldest)},
            {"empty_at", to_json(outlook.empty.at)},
            {"empty_why", outlook.empty.why}};
}

json::value to_json(const delivery::QueueChanged& changed, bool dry_run, std::size_t most_ids) {
    Counted done;
    for (const base::MessageId id : changed.done) done.add(id, most_ids);
    std::map<delivery::QueueChanged::Why, Counted> skipped;
    for (const auto& one : changed.skipped) skipped[one.why].add(one.id, most_ids);
    json::array passed_over;
    for (auto& [why, some] : skipped)
        passed_over.push_back(
            {{"why", words(why)}, {"messages", some.messages}, {"ids", std::move(some.ids)}});
    return {{"dry_run", dry_run},
            {"messages", done.messages},
            {"ids", std::move(done.ids)},
            {"skipped", std::move(passed_over)}};
}

std::expected<delivery::MessageFilter, std::string> read_filter(const Request& request) {
    delivery::MessageFilter filter{.account = param(request, "account"),
                                   .sender = param(request, "sender"),
                                   .recipient = param(request, "rcpt"),
                                   .way = param(request, "upstream"),
                                   .state = param(request, "state"),
                                   .why = param(request, "why")};
    for (const std::string& text : base::split_list(param(request, "id"), ',')) {
        if (text.empty()) continue;
        const auto id = base::MessageId::parse(text);
        if (!id)
            return std::unexpected("\"" + base::printable(text, 32) +
                                   "\" is not a message id; ids have ten letters and digits");
        filter.ids.push_back(*id);
    }
    constexpr std::array<std::string_view, 6> states{"ready", "limited", "waiting",
                                                     "held",  "sending", "reporting"};
    if (!filter.state.empty() && std::ranges::find(states, filter.state) == states.end())
        return std::unexpected("state is one of ready, limited, waiting, held, sending, reporting");
    for (const auto& [name, address] :
         {std::pair{"sender", &filter.sender}, std::pair{"rcpt", &filter.recipient}})
        if (!address->empty() && !address->contains('@'))
            return std::unexpected(std::string(name) + ": \"" + base::printable(*address, 64) +
                                   "\" is no address; write ann@example.org, or @example.org for a "
                                   "domain");
    if (const std::string older = param(request, "older"); !older.empty()) {
        const auto age = config::parse_duration(older);
        if (!age) return std::unexpected("older: " + age.error());
        filter.older = *age;
    }
    if (const std::string text = param(request, "priority"); !text.empty()) {
        const auto priority = read_priority(text);
        if (!priority) return std::unexpected(priority.error());
        filter.priority = *priority;
    }
    return filter;
}

std::expected<delivery::QueueChange, std::string> read_change(std::string_view what,
                                                              const Request& request) {
    constexpr std::array<std::string_view, 6> names{"hold",   "release", "retry",
                                                    "cancel", "move",    "priority"};
    const auto found = std::ranges::find(names, what);
    if (found == names.end())
        return std::unexpected("there is no change \"" + base::printable(what, 32) +
                               "\"; there is hold, release, retry, cancel, move, priority");
    delivery::QueueChange change{
        .what = static_cast<delivery::QueueChange::What>(found - names.begin()),
        .bounce = flag(request, "bounce"),
        .to = param(request, "to"),
        .dry_run = flag(request, "dry_run")};
    if (change.what == delivery::QueueChange::What::priority) {
        const auto level = read_priority(param(request, "level"));
        if (!level) return std::unexpected(level.error());
        change.level = *level;
    }
    return change;
}

Response json_response(const json::value& value, unsigned status) {
    return {.status = status,
            .content_type = "application/json",
            .body = json::serialize(value) + "\n"};
}

Response error_response(unsigned status, std::string_view words) {
    return json_response({{"error", words}}, status);
}

Response no_such(std::string_view what, std::string_view name) {
    return error_response(404,
                          "there is no " + std::string(what) + " " + base::printable(name, 64));
}

}  // namespace outpost::control
