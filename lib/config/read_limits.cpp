#include "config/read_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/section_readers.hpp"
#include "config/units.hpp"

namespace outpost::config {
namespace {

constexpr std::uint64_t most_in_period = 1'000'000'000'000;
/// A message goes whole: with less than this hardly one would ever fit.
constexpr std::uint64_t least_octets = 8ULL << 10;

Read<std::optional<std::uint64_t>> as_count(const YamlNode& node) {
    return mapped(as_number(node, 1, most_in_period),
                  [](std::uint64_t count) { return std::optional(count); });
}

/// A rate that can stand beside those before it.
Read<limit::Rate> as_rate(const YamlNode& node, const std::vector<limit::Rate>& before) {
    auto rate = as_parsed(node, limit::parse_rate);
    if (!rate) return rate;
    if (rate->unit == limit::Unit::octets && rate->count < least_octets) {
        return std::unexpected(
            fmt::format("{} is too small for a message; at least 8KB", in_quotes(node.text)));
    }
    const auto same = std::ranges::find_if(before, [&rate](const limit::Rate& other) {
        return other.unit == rate->unit && other.period == rate->period;
    });
    if (same != before.end()) {
        return std::unexpected(
            fmt::format("{} and {} count the same in the same period; keep one of them",
                        in_quotes(same->text()), in_quotes(node.text)));
    }
    return rate;
}

}  // namespace

void read_rates(Section& section, std::string_view key, std::vector<limit::Rate>& target) {
    const YamlEntry* const entry = section.find(key);
    if (entry == nullptr) return;
    target.clear();
    std::vector<YamlNode> items;
    section.read(key, items, as_list);
    for (const YamlNode& item : items) {
        auto rate = as_rate(item, target);
        if (rate) {
            target.push_back(*rate);
        } else {
            section.diagnostics().add(item.place, section.path_of(key), std::move(rate.error()));
        }
    }
}

void read_shaping(Section& section, limit::Limits& target) {
    read_rates(section, "rate", target.rates);
    section.read("smooth", target.smooth, as_bool);
}

Read<YamlNode> as_quota_mapping(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::scalar) return node;
    YamlNode mapping;
    mapping.kind = YamlNode::Kind::mapping;
    mapping.place = node.place;
    for (const std::string& part : base::split_list(node.text, ';')) {
        const std::size_t slash = part.find('/');
        const std::string_view unit =
            slash == std::string::npos ? "" : base::trim(std::string_view(part).substr(slash + 1));
        const std::string_view key = unit == "hour" || unit == "h"  ? "hourly"
                                     : unit == "day" || unit == "d" ? "daily"
                                     : unit == "month"              ? "monthly"
                                                                    : "";
        if (key.empty()) {
            return std::unexpected(fmt::format(
                "{} is not a quota; write COUNT/hour, COUNT/day or COUNT/month, such as 10000/day",
                in_quotes(part)));
        }
        if (mapping.find(key) != nullptr) {
            return std::unexpected(
                fmt::format("{} names a count per {} twice", in_quotes(node.text), unit));
        }
        YamlNode count = node;
        count.text = base::trim(std::string_view(part).substr(0, slash));
        mapping.entries.push_back({std::string(key), node.place, std::move(count)});
    }
    return mapping;
}

void read_quota(Section& parent, limit::Quota& target, WhenExceeded* when_exceeded) {
    const YamlEntry* const entry = parent.find("quota");
    if (entry == nullptr) return;
    const auto mapping = as_quota_mapping(entry->value);
    if (!mapping) return parent.error(*entry, mapping.error());
    limit::Quota quota;
    Section section(&*mapping, parent.path_of("quota"), parent.diagnostics());
    section.read("hourly", quota.hourly, as_count);
    section.read("daily", quota.daily, as_count);
    section.read("monthly", quota.monthly, as_count);
    section.read("timezone", quota.zone, as_time_zone);
    const YamlEntry* const exceeded = section.find("when_exceeded");
    if (when_exceeded != nullptr) {
        *when_exceeded = WhenExceeded::reject;
        section.read("when_exceeded", *when_exceeded,
                     choice<WhenExceeded>(std::to_array<std::string_view>({"reject", "hold"})));
    } else if (exceeded != nullptr) {
        section.error(*exceeded, "is for accounts; mail always waits for an upstream's quota");
    }
    section.finish();
    const auto& value = *mapping;
    if (value.kind == YamlNode::Kind::mapping && value.find("hourly") == nullptr &&
        value.find("daily") == nullptr && value.find("monthly") == nullptr) {
        parent.error(*entry, "limits nothing; write hourly, daily or monthly, such as daily: 2000");
    }
    target = quota;
}

Read<limit::TimeZone> as_time_zone(const YamlNode& node) {
    const auto text = as_text(node);
    if (!text) return std::unexpected(text.error());
    if (auto zone = limit::TimeZone::find(*text)) return *zone;
    const std::string near = limit::near_zone(*text);
    return std::unexpected(
        near.empty()
            ? fmt::format("{} is not a time zone; write one such as Europe/Amsterdam, "
                          "or UTC",
                          in_quotes(*text))
            : fmt::format("{} is not a time zone; did you mean {}?", in_quotes(*text), near));
}

Read<double> as_share(const YamlNode& node, bool all) {
    const auto text = as_text(node);
    if (!text) return std::unexpected(text.error());
    const bool percent = text->ends_with('%');
    const auto number = parse_fraction(std::string_view(*text).substr(0, text->size() - percent));
    const double share = number.value_or(0) / (percent ? 100 : 1);
    if (share <= 0 || share > 1 || (share == 1 && !all)) {
        return std::unexpected(fmt::format(
            "{} is not a share; write a percentage such as 10%, or 0.1; more than 0% and {} 100%",
            in_quotes(*text), all ? "at most" : "less than"));
    }
    return share;
}

}  // namespace outpost::config
