#include <fmt/format.h>

#include "config/read_limits.hpp"
#include "config/section_readers.hpp"
#include "config/units.hpp"

namespace outpost::config {
namespace {

constexpr std::uint32_t most_weight = 1000;

void read_submit_rate(Section& section, Account& account) {
    read_rates(section, "submit_rate", account.submit_rate);
    const YamlEntry* const entry = section.find("submit_rate");
    for (const limit::Rate& rate : account.submit_rate) {
        if (entry == nullptr || rate.unit != limit::Unit::octets) continue;
        section.error(*entry,
                      fmt::format("{} counts octets, and the size of a message is not known when "
                                  "its recipients are; count recipients or messages, such as 100/s",
                                  in_quotes(rate.text())));
    }
}

/// A text, or a list of them.
Read<std::uint8_t> as_days(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::sequence) return as_parsed(node, limit::parse_days);
    std::uint8_t days = 0;
    for (const YamlNode& item : node.items) {
        const auto some = as_parsed(item, limit::parse_days);
        if (!some) return some;
        days |= *some;
    }
    if (days == 0) return std::unexpected("names no day; write days such as mon-fri");
    return days;
}

void read_delivery_hours(Section& parent, std::optional<limit::DeliveryHours>& target) {
    const YamlEntry* const entry = parent.find("deliver");
    if (entry == nullptr) return;
    limit::DeliveryHours deliver;
    Section section = subsection(parent, "deliver");
    section.read("days", deliver.days, as_days);
    limit::HoursOfDay hours{deliver.from, deliver.to};
    section.read("hours", hours, [](const YamlNode& node) -> Read<limit::HoursOfDay> {
        return as_parsed(node, limit::parse_hours);
    });
    deliver.from = hours.from;
    deliver.to = hours.to;
    section.read("timezone", deliver.zone, as_time_zone);
    section.finish();
    const auto& value = entry->value;
    if (value.kind == YamlNode::Kind::mapping && value.find("days") == nullptr &&
        value.find("hours") == nullptr) {
        parent.error(*entry,
                     "names neither days nor hours; write days: mon-fri, hours: "
                     "08:00-18:00, or both");
    }
    target = deliver;
}

}  // namespace

void read_account_limits(Section& section, Account& account) {
    read_submit_rate(section, account);
    read_shaping(section, account.limits);
    read_quota(section, account.limits.quota, &account.when_exceeded);
    section.read("weight", account.weight, number<std::uint32_t>(1, most_weight));
    read_delivery_hours(section, account.deliver);
}

}  // namespace outpost::config
