#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/domain_name.hpp"
#include "config/section_readers.hpp"
#include "config/units.hpp"

namespace outpost::config {
namespace {

YamlNode scalar(const YamlEntry& entry) {
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.place = entry.place;
    node.text = entry.key;
    return node;
}

/// `[a, b]` or `a;b`, or with weights `{a: 3, b: 1}`.
Read<std::vector<Group::Member>> as_members(const YamlNode& node, const Config& config,
                                            bool weighted) {
    const bool mapping = node.kind == YamlNode::Kind::mapping;
    if (weighted && !mapping)
        return std::unexpected("must give each upstream its weight: {ses-eu: 3, mailgun-eu: 1}");
    if (!weighted && mapping)
        return std::unexpected("must be a list; only strategy weighted has weights");
    std::vector<Group::Member> members;
    if (mapping) {
        for (const YamlEntry& entry : node.entries) {
            const auto name = as_upstream(scalar(entry), config);
            if (!name) return std::unexpected(name.error());
            const auto weight = number<std::uint32_t>(1, 1000)(entry.value);
            if (!weight) return std::unexpected(fmt::format("{}: {}", *name, weight.error()));
            members.push_back({*name, *weight});
        }
    } else {
        const auto list = as_list(node);
        if (!list) return std::unexpected(list.error());
        for (const YamlNode& item : *list) {
            const auto name = as_upstream(item, config);
            if (!name) return std::unexpected(name.error());
            if (std::ranges::find(members, *name, &Group::Member::upstream) != members.end())
                return std::unexpected(fmt::format("names {} twice", in_quotes(*name)));
            members.push_back({*name, 1});
        }
    }
    if (members.empty()) return std::unexpected("names no upstream");
    if (members.size() > Group::most_members)
        return std::unexpected(fmt::format("names {} upstreams; {} are the most", members.size(),
                                           Group::most_members));
    return members;
}

Group read_group(Section& section, const Config& config, std::string name) {
    Group group;
    group.name = std::move(name);
    section.read("strategy", group.strategy,
                 choice<Strategy>(std::to_array<std::string_view>(
                     {"failover", "overflow", "weighted", "round_robin"})));
    const bool weighted = group.strategy == Strategy::weighted;
    section.read("upstreams", group.members,
                 [&](const YamlNode& node) { return as_members(node, config, weighted); });
    section.missing("upstreams", "is missing; list the group's upstreams");
    section.finish();
    return group;
}

/// A domain name, or with a dot in front the name and all its subdomains.
Read<std::string> as_domain(const YamlNode& node) {
    const auto text = as_line(node);
    if (!text) return text;
    const bool subdomains = text->starts_with('.');
    const auto domain = canonical_domain(std::string_view(*text).substr(subdomains ? 1 : 0));
    if (!domain) {
        return std::unexpected(fmt::format(
            "{} is not a domain; write a name such as example.com, or .example.com for its "
            "subdomains too",
            in_quotes(*text)));
    }
    return (subdomains ? "." : "") + *domain;
}

/// `NAME: VALUE`, or `NAME` for a field of any value.
Read<HeaderMatch> as_header_match(const YamlNode& node) {
    const auto text = as_line(node);
    if (!text) return std::unexpected(text.error());
    HeaderMatch match;
    const std::size_t colon = text->find(':');
    match.name = base::trim(std::string_view(*text).substr(0, colon));
    if (colon != std::string::npos)
        match.value = std::string(base::trim(std::string_view(*text).substr(colon + 1)));
    const bool name = !match.name.empty() && std::ranges::all_of(match.name, [](char c) {
        return c > ' ' && c < 127 && c != ':';
    });
    if (!name) {
        return std::unexpected(
            fmt::format("{} is not a header field; write \"NAME: VALUE\", or NAME for any value",
                        in_quotes(*text)));
    }
    return match;
}

/// One value or a list of them.
template <class T, class Reader>
void read_some(Section& section, std::string_view key, std::vector<T>& target, Reader reader) {
    const YamlEntry* const entry = section.find(key);
    if (entry == nullptr) return;
    const auto items = as_list(entry->value);
    if (!items) return section.error(*entry, items.error());
    if (items->empty()) return section.error(*entry, "is empty; leave the key out to match all");
    for (const YamlNode& item : *items) {
        auto value = reader(item);
        if (!value) {
            section.diagnostics().add(item.place, section.path_of(key), value.error());
            continue;
        }
        target.push_back(std::move(*value));
    }
}

Read<std::string> as_account(const YamlNode& node, const Config& config) {
    const auto text = as_text(node);
    if (!text || config.accounts.contains(*text)) return text;
    std::vector<std::string_view> names;
    for (const auto& [name, account] : config.accounts) names.push_back(name);
    const auto near = base::near_match(*text, names);
    return std::unexpected(fmt::format("there is no account {}{}", in_quotes(*text),
                                       near ? fmt::format("; did you mean {}?", *near) : ""));
}

Route read_route(Section& section, const Config& config) {
    Route route;
    read_some(section, "account", route.accounts,
              [&config](const YamlNode& node) { return as_account(node, config); });
    read_some(section, "sender_domain", route.sender_domains, as_domain);
    read_some(section, "recipient_domain", route.recipient_domains, as_domain);
    read_some(section, "priority", route.priorities, number<std::uint8_t>(1, 5));
    read_some(section, "header", route.headers, as_header_match);
    section.read("via", route.via,
                 [&config](const YamlNode& node) { return as_via(node, config); });
    section.missing("via", "is missing; name an upstream or a group");
    section.finish();
    return route;
}

/// Nobody's mail may be left without a way.
void check_all_routed(Section& root, const YamlEntry& entry, const Config& config) {
    if (std::ranges::any_of(config.routes, &Route::takes_everything)) return;
    std::vector<std::string_view> without;
    for (const auto& [name, account] : config.accounts)
        if (account.route.empty()) without.push_back(name);
    if (without.empty()) return;
    root.error(entry,
               fmt::format("leave mail of {} without a way; end them with a route that takes "
                           "everything: {{via: UPSTREAM}}",
                           fmt::join(without, ", ")));
}

}  // namespace

Read<std::string> as_via(const YamlNode& node, const Config& config) {
    const auto text = as_text(node);
    if (!text || config.groups.contains(*text)) return text;
    if (config.groups.empty()) return as_upstream(node, config);
    if (config.upstreams.contains(*text)) return text;
    std::vector<std::string_view> names;
    for (const auto& [name, upstream] : config.upstreams) names.push_back(name);
    for (const auto& [name, group] : config.groups) names.push_back(name);
    const auto near = base::near_match(*text, names);
    return std::unexpected(near ? fmt::format("there is no upstream or group {}; did you mean {}?",
                                              in_quotes(*text), in_quotes(*near))
                                : fmt::format("there is no upstream or group {}; there is {}",
                                              in_quotes(*text), fmt::join(names, ", ")));
}

void read_groups(Section& root, Config& config) {
    Section groups = subsection(root, "groups");
    for (const YamlEntry& child : groups.entries()) {
        std::string path = groups.path_of(base::printable(child.key, 64));
        if (const auto name = as_line(scalar(child)); !name) {
            groups.diagnostics().add(child.place, path, "a group's name " + name.error());
            continue;
        }
        if (config.upstreams.contains(child.key)) {
            groups.diagnostics().add(child.place, path,
                                     "is the name of an upstream too; choose another");
            continue;
        }
        Section section(&child.value, std::move(path), groups.diagnostics());
        config.groups[child.key] = read_group(section, config, child.key);
    }
}

void read_routes(Section& root, Config& config) {
    const YamlEntry* const entry = root.find("routes");
    if (entry == nullptr) return;
    if (entry->value.kind != YamlNode::Kind::sequence)
        return root.error(*entry, "must be a list of routes such as {account: shop, via: office}");
    std::size_t number = 0;
    for (const YamlNode& item : entry->value.items) {
        const std::string path = fmt::format("routes[{}]", number++);
        Section section(&item, path, root.diagnostics());
        config.routes.push_back(read_route(section, config));
        const bool last = number == entry->value.items.size();
        if (config.routes.back().takes_everything() && !last) {
            root.diagnostics().add(item.place, path,
                                   "takes everything, so those after it are never used; put it "
                                   "at the end");
        }
    }
    check_all_routed(root, *entry, config);
}

}  // namespace outpost::config
