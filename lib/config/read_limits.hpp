#pragma once

#include <string_view>
#include <vector>

#include "config/section.hpp"
#include "config/types.hpp"

/// Readers of limits and shares, for accounts and upstreams.
namespace outpost::config {

/// submit_rate, rate, smooth, quota, weight, deliver. What the section does not set stays.
void read_account_limits(Section& section, Account& account);
/// rate, smooth, quota, reserve, priority, share.
void read_upstream_limits(Section& section, Upstream& upstream);

// What both have in common

/// A rate or a list of them; two that count the same in the same period are an error.
void read_rates(Section& section, std::string_view key, std::vector<limit::Rate>& target);
/// rate and smooth.
void read_shaping(Section& section, limit::Limits& target);
/// `10000/day;200000/month` as the mapping of the same meaning; a mapping as it is.
[[nodiscard]] Read<YamlNode> as_quota_mapping(const YamlNode& node);
/// quota, as a mapping or a text. `when_exceeded`: null where a quota always waits.
void read_quota(Section& parent, limit::Quota& target, WhenExceeded* when_exceeded);

[[nodiscard]] Read<limit::TimeZone> as_time_zone(const YamlNode& node);
/// `10%` or `0.1`: more than nothing, and less than all unless `all` may be.
[[nodiscard]] Read<double> as_share(const YamlNode& node, bool all);

}  // namespace outpost::config
