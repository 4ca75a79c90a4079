#include "config/account_settings.hpp"

#include <algorithm>
#include <memory>

#include "config/read_limits.hpp"
#include "config/section_readers.hpp"

namespace outpost::config {
namespace {

constexpr AccountOption options[] = {
    {"domains", "authorized_domains", "Domains it may send as: \"a.com;.b.com\""},
    {"senders", "authorized_senders", "Addresses it may send as: \"info@a.com;sales@a.com\""},
    {"networks", "allowed_networks", "Where its clients may be: \"192.0.2.0/24\""},
    {"priority", "priority", "1 (highest) to 5"},
    {"priority-cap", "priority_cap", "A message cannot raise itself above this"},
    {"quota", "quota", "Recipients per calendar period: \"10000/day;200000/month\""},
    {"timezone", "quota.timezone", "Of the quota: Europe/Amsterdam"},
    {"when-exceeded", "quota.when_exceeded", "Of the quota: reject or hold"},
    {"rate", "rate", "Delivery is shaped to it: \"1200/h;80MB/5m\""},
    {"smooth", "smooth", "true: evenly spaced within the rate"},
    {"submit-rate", "submit_rate", "The client must wait over it: 100/s"},
    {"deliver-days", "deliver.days", "When its mail goes out: mon-fri"},
    {"deliver-hours", "deliver.hours", "When its mail goes out: 08:00-18:00"},
    {"deliver-timezone", "deliver.timezone", "Of these days and hours"},
    {"route", "route", "An upstream or a group"},
    {"weight", "weight", "Its share beside other accounts, 1 to 1000"},
    {"max-message-size", "max_message_size", "Such as 10MB"},
    {"max-recipients", "max_recipients", "Of one message"},
    {"provider-headers", "provider_headers",
     "true: its mail may tell an email provider what to do"},
    {"note", "note", "What it is for"},
};

YamlNode& mapping_at(YamlNode& root, std::string_view key) {
    const auto found = std::ranges::find(root.entries, key, &YamlEntry::key);
    if (found != root.entries.end()) return found->value;
    YamlNode value;
    value.place = root.place;
    root.entries.push_back({std::string(key), root.place, std::move(value)});
    return root.entries.back().value;
}

/// A list is written as a text with `;`, but for the empty one.
void put_text(YamlNode& node, const std::string& text) {
    if (text == "[]") {
        node.kind = YamlNode::Kind::sequence;
        return;
    }
    node.kind = YamlNode::Kind::scalar;
    node.text = text;
}

/// Puts a setting where it would stand in the configuration.
Read<void> put(YamlNode& root, const AccountOption& option, const std::string& text) {
    const std::size_t dot = option.key.find('.');
    if (dot == std::string_view::npos && option.key != "quota") {
        put_text(mapping_at(root, option.key), text);
        return {};
    }
    YamlNode& parent = mapping_at(root, option.key.substr(0, dot));
    parent.kind = YamlNode::Kind::mapping;
    if (dot != std::string_view::npos) {
        put_text(mapping_at(parent, option.key.substr(dot + 1)), text);
        return {};
    }
    YamlNode quota;
    quota.place = root.place;
    put_text(quota, text);
    auto counts = as_quota_mapping(quota);
    if (!counts) return std::unexpected(std::move(counts.error()));
    std::ranges::move(counts->entries, std::back_inserter(parent.entries));
    return {};
}

/// The option that a key of the configuration belongs to.
std::string_view option_of(std::string_view key) {
    const auto exact = std::ranges::find(options, key, &AccountOption::key);
    if (exact != std::end(options)) return exact->name;
    const std::string_view first = key.substr(0, key.find('.'));
    const auto near = std::ranges::find_if(options, [first](const AccountOption& option) {
        return option.key.substr(0, option.key.find('.')) == first;
    });
    return near == std::end(options) ? key : near->name;
}

}  // namespace

std::span<const AccountOption> account_options() {
    return options;
}

AccountReading read_account(const std::string& name, const AccountSettings& settings,
                            const Config& config) {
    AccountReading reading;
    std::string_view unreadable;
    YamlNode root;
    root.kind = YamlNode::Kind::mapping;
    root.place.file = std::make_shared<SourceFile>(name, 0);
    for (const auto& [option, text] : settings) {
        const auto known = std::ranges::find(options, option, &AccountOption::name);
        if (known == std::end(options)) {
            reading.faults.push_back(option + ": is not known to this version");
        } else if (auto done = put(root, *known, text); !done) {
            reading.faults.push_back(option + ": " + done.error());
            // What is left of the mapping would be reported as well.
            unreadable = known->key;
        }
    }
    std::erase_if(root.entries, [&](const YamlEntry& entry) { return entry.key == unreadable; });
    Diagnostics diagnostics;
    Section section(&root, "", diagnostics);
    reading.account = read_added_account(section, config, name);
    for (const Diagnostic& found : diagnostics.sorted())
        reading.faults.push_back(std::string(option_of(found.key)) + ": " + found.message);
    return reading;
}

}  // namespace outpost::config
