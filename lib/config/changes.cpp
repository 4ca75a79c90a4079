#include "config/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace outpost::config {
namespace {

/// A proxy and a store are URLs, which may hold a password.
constexpr std::array<std::string_view, 10> secret_keys{
    "password",          "password_hash", "api_key",       "api_secret", "access_key_id",
    "secret_access_key", "client_secret", "refresh_token", "proxy",      "store"};

std::string written(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::scalar) return node.text;
    std::string text;
    const auto add = [&](const std::string& part) {
        if (!text.empty()) text += ", ";
        text += part;
    };
    for (const YamlNode& item : node.items) add(written(item));
    for (const YamlEntry& entry : node.entries) add(entry.key + ": " + written(entry.value));
    const bool list = node.kind == YamlNode::Kind::sequence;
    return fmt::format("{}{}{}", list ? '[' : '{', text, list ? ']' : '}');
}

void flatten(const YamlNode& node, const std::string& path, bool secret,
             std::map<std::string, Setting>& settings) {
    const auto is_mapping = [](const YamlNode& item) {
        return item.kind == YamlNode::Kind::mapping;
    };
    // Routes, listeners and certificates: as long as they are, each is told by itself.
    if (!node.items.empty() && std::ranges::all_of(node.items, is_mapping)) {
        for (std::size_t i = 0; i < node.items.size(); ++i)
            flatten(node.items[i], fmt::format("{}[{}]", path, i), false, settings);
        return;
    }
    if (!is_mapping(node)) {
        settings[path] = {base::Secret(written(node)), secret};
        return;
    }
    for (const YamlEntry& entry : node.entries) {
        const bool hidden = std::ranges::find(secret_keys, entry.key) != secret_keys.end() &&
                            entry.value.kind != YamlNode::Kind::mapping;
        flatten(entry.value, join_key(path, entry.key), hidden, settings);
    }
}

/// In a line of output.
std::string shown(const Setting& setting) {
    return setting.secret ? std::string("(secret)") : base::printable(setting.value.reveal(), 80);
}

/// In a line beside another value, from a little before where they differ if they are long.
std::string shown(const Setting& setting, const Setting& other) {
    const std::string_view text = setting.value.reveal();
    const std::string_view beside = other.value.reveal();
    const auto differ =
        static_cast<std::size_t>(std::ranges::mismatch(text, beside).in1 - text.begin());
    if (differ < 60) return shown(setting);
    std::size_t from = differ - 20;
    while (from > 0 && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) --from;
    return "..." + base::printable(text.substr(from), 80);
}

std::string line(const std::string& path, const Setting* before, const Setting* after) {
    const std::string name = base::printable(path, 200);
    if (before == nullptr) return fmt::format("{}: {} (new)", name, shown(*after));
    if (after == nullptr) return fmt::format("{}: gone (was {})", name, shown(*before));
    if (before->secret || after->secret) return fmt::format("{}: changed", name);
    return fmt::format("{}: {} -> {}", name, shown(*before, *after), shown(*after, *before));
}

const Setting* find(const std::map<std::string, Setting>& settings, const std::string& path) {
    const auto found = settings.find(path);
    return found == settings.end() ? nullptr : &found->second;
}

/// Those of a section that are in both and differ although not a key of theirs is written
/// differently.
template <class Values>
void name_others(std::string_view section, const Values& before, const Values& after,
                 std::vector<std::string>& lines) {
    for (const auto& [name, value] : after) {
        const auto old = before.find(name);
        if (old == before.end() || old->second == value) continue;
        const std::string path = fmt::format("{}.{}", section, base::printable(name, 200));
        const bool told = std::ranges::any_of(
            lines, [&](const std::string& text) { return text.starts_with(path + "."); });
        if (!told)
            lines.push_back(path + ": a file, variable or default that it refers to has changed");
    }
}

}  // namespace

std::map<std::string, Setting> settings_of(const YamlNode& root) {
    std::map<std::string, Setting> settings;
    flatten(root, "", false, settings);
    return settings;
}

std::vector<std::string> changes(const Config& before, const Config& after) {
    std::map<std::string, Setting> all = before.settings;
    all.insert(after.settings.begin(), after.settings.end());
    std::vector<std::string> lines;
    for (const auto& entry : all) {
        const Setting* const old = find(before.settings, entry.first);
        const Setting* const now = find(after.settings, entry.first);
        if (old != nullptr && now != nullptr && *old == *now) continue;
        lines.push_back(line(entry.first, old, now));
    }
    name_others("accounts", before.accounts, after.accounts, lines);
    name_others("upstreams", before.upstreams, after.upstreams, lines);
    return lines;
}

std::vector<std::string> fixed_while_running(const Config& before, const Config& after) {
    std::vector<std::string> errors;
    const auto fixed = [&](std::string_view key, bool same) {
        if (!same)
            errors.push_back(fmt::format(
                "{}: {} cannot change while outpostd runs; restart it, or put the old value back",
                after.file, key));
    };
    fixed("data_dir", before.data_dir == after.data_dir);
    fixed("spool.segment_size", before.spool.segment_size == after.spool.segment_size);
    fixed("spool.large_message", before.spool.large_message == after.spool.large_message);
    fixed("spool.min_free", before.spool.min_free == after.spool.min_free);
    fixed("history", before.history == after.history);
    fixed("limits", before.limits == after.limits);
    fixed("control", before.control == after.control);
    const Submission& old = before.submission;
    const Submission& now = after.submission;
    fixed("submission.auth_failures",
          old.auth_failures_per_address == now.auth_failures_per_address &&
              old.auth_failures_per_account == now.auth_failures_per_account);
    return errors;
}

}  // namespace outpost::config
