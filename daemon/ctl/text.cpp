#include "ctl/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "control/table.hpp"

namespace outpost::ctl {
namespace {

namespace json = boost::json;

constexpr std::size_t most_named = 5;

std::string plain(const json::value& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return std::string(value.as_string());
    if (!value.is_array()) return json::serialize(value);
    std::string all;
    for (const json::value& each : value.as_array()) all += (all.empty() ? "" : ",") + plain(each);
    return all;
}

std::string limits(const json::value& upstream) {
    std::string all;
    for (const json::value& level : upstream.at("limits").as_array()) {
        if (!all.empty()) all += ", ";
        all += plain(level.at("used")) + " of " + plain(level.at("limit"));
    }
    return all;
}

std::string used_up(const json::value& upstream) {
    const std::string waits = text(upstream, "waits_for");
    if (waits.empty()) return {};
    const std::string kept = text(upstream, "waits_kept_for");
    return waits + (kept == "0" ? "" : ", but for the reserve of priority " + kept + ",") +
           " used up until " + text(upstream, "waits_until");
}

/// `slowed to 5.5/s, 4 of 20 at once`
std::string slowed(const json::value& upstream) {
    const json::value& speed = upstream.at("speed");
    const std::string now = text(upstream, "concurrency");
    const std::string most = text(upstream, "concurrency_configured");
    if (speed.is_null() && now == most) return {};
    std::string all = "slowed to ";
    if (!speed.is_null()) all += fmt::format("{:.1f}/s, ", speed.to_number<double>());
    return all + now + " of " + most + " at once";
}

std::string kept_by_accounts(const json::value& upstream) {
    const std::string limited = text(upstream, "limited");
    if (limited == "0") return {};
    const auto& accounts = upstream.at("limited_accounts").as_array();
    std::string names;
    for (std::size_t i = 0; i < std::min(accounts.size(), most_named); ++i)
        names += (i == 0 ? "" : ", ") + plain(accounts[i]);
    if (accounts.size() > most_named) names += ", ...";
    return limited + (limited == "1" ? " waits" : " wait") + " for limits of " +
           (accounts.size() == 1 ? "account " : "accounts ") + names;
}

/// Of one that is open: the reason says so of the others.
std::string last_error(const json::value& upstream) {
    const std::string words = text(upstream, "last_error");
    if (words.empty() || text(upstream, "state") != "open") return {};
    return "last error at " + text(upstream, "last_error_at") + ": " + words;
}

/// All that keeps mail from it, or did lately.
std::string reason(const json::value& upstream) {
    std::string all;
    for (const std::string& each : {text(upstream, "reason"), used_up(upstream), slowed(upstream),
                                    kept_by_accounts(upstream), last_error(upstream)})
        if (!each.empty()) all += (all.empty() ? "" : "; ") + each;
    return all;
}

}  // namespace

std::string text(const json::value& object, std::string_view key) {
    const json::value* const value = object.as_object().if_contains(key);
    return value == nullptr ? std::string() : plain(*value);
}

std::string upstream_table(const json::array& upstreams) {
    control::Table table(
        {"UPSTREAM", "STATE", "SENDING", "IDLE", "READY", "LIMITED", "WAITING", "USED", "REASON"});
    for (const json::value& one : upstreams) {
        const std::string idle = text(one, "idle_connections");
        table.add({text(one, "name"), text(one, "state"),
                   text(one, "in_flight") + "/" + text(one, "concurrency"),
                   idle.empty() ? "-" : idle, text(one, "ready"), text(one, "limited"),
                   text(one, "waiting"), limits(one), reason(one)});
    }
    return table.text();
}

std::string group_table(const json::array& groups) {
    control::Table table(
        {"GROUP", "STRATEGY", "MEMBERS", "SENDING", "READY", "LIMITED", "WAITING"});
    for (const json::value& one : groups)
        table.add({text(one, "name"), text(one, "strategy"), text(one, "members"),
                   text(one, "sending"), text(one, "ready"), text(one, "limited"),
                   text(one, "waiting")});
    return table.empty() ? std::string() : table.text();
}

}  // namespace outpost::ctl
