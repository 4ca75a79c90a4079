#include "ctl/text.hpp"

#include <boost/json/serialize.hpp>

#include "control/table.hpp"

namespace outpost::ctl {
namespace {

namespace json = boost::json;

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

}  // namespace

std::string text(const json::value& object, std::string_view key) {
    const json::value* const value = object.as_object().if_contains(key);
    return value == nullptr ? std::string() : plain(*value);
}

std::string upstream_table(const json::array& upstreams) {
    control::Table table({"UPSTREAM", "STATE", "SENDING", "READY", "WAITING", "USED", "REASON"});
    for (const json::value& one : upstreams) {
        std::string reason = text(one, "reason");
        if (const std::string waits = text(one, "waits_for"); !waits.empty())
            reason +=
                (reason.empty() ? "" : "; ") + waits + " used up until " + text(one, "waits_until");
        table.add({text(one, "name"), text(one, "state"),
                   text(one, "in_flight") + "/" + text(one, "concurrency"), text(one, "ready"),
                   text(one, "waiting"), limits(one), reason});
    }
    return table.text();
}

}  // namespace outpost::ctl
