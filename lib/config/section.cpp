#include "config/section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.hpp"
#include "config/units.hpp"

namespace outpost::config {
namespace {

std::string_view kind_name(YamlNode::Kind kind) {
    switch (kind) {
        case YamlNode::Kind::null: return "nothing";
        case YamlNode::Kind::scalar: return "a single value";
        case YamlNode::Kind::sequence: return "a list";
        case YamlNode::Kind::mapping: return "a mapping";
    }
    return "";
}

std::string near_hint(std::string_view word, std::span<const std::string_view> candidates) {
    const auto near = base::near_match(word, candidates);
    return near ? fmt::format("; did you mean {}?", *near) : std::string{};
}

std::string duration_text(Duration duration) {
    const auto count = duration.count();
    return count % 1000 == 0 ? fmt::format("{}s", count / 1000) : fmt::format("{}ms", count);
}

}  // namespace

Section::Section(const YamlNode* node, std::string path, Diagnostics& diagnostics)
    : node_(node), path_(std::move(path)), diagnostics_(&diagnostics) {
    static const YamlNode none;
    if (node_ != nullptr) place_ = node_->place;
    if (node_ != nullptr && node_->kind != YamlNode::Kind::mapping) {
        diagnostics.add(place_, path_,
                        fmt::format("must be a mapping of keys, not {}", kind_name(node_->kind)));
        node_ = nullptr;
    }
    mapping_ = node_ != nullptr;
    if (!mapping_) node_ = &none;
}

const YamlEntry* Section::find(std::string_view key) {
    const bool first = std::ranges::find(known_, key) == known_.end();
    if (first) known_.push_back(key);
    const YamlEntry* const entry = node_->find(key);
    if (entry == nullptr || entry->value.kind != YamlNode::Kind::null) return entry;
    if (first) {
        diagnostics_->add(entry->place, path_of(key),
                          "has no value; give it one or remove the line");
    }
    return nullptr;
}

void Section::error(const YamlEntry& entry, std::string message) {
    diagnostics_->add(entry.value.place, path_of(entry.key), std::move(message));
}

void Section::missing(std::string_view key, std::string message) {
    if (mapping_ && node_->find(key) == nullptr)
        diagnostics_->add(place_, path_of(key), std::move(message));
}

void Section::finish() {
    for (const YamlEntry& entry : node_->entries) {
        if (std::ranges::find(known_, entry.key) != known_.end()) continue;
        std::string hint = near_hint(entry.key, known_);
        if (hint.empty()) hint = fmt::format("; known here: {}", fmt::join(known_, ", "));
        diagnostics_->add(entry.place, path_of(base::printable(entry.key, 64)),
                          "is not a known key" + hint);
    }
}

Read<std::string> as_text(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::scalar) {
        return std::unexpected(fmt::format("must be a single value, not {}", kind_name(node.kind)));
    }
    return node.text;
}

Read<std::string> as_line(const YamlNode& node) {
    auto text = as_text(node);
    if (!text) return text;
    if (text->empty()) return std::unexpected("is empty");
    if (std::ranges::any_of(
            *text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
        return std::unexpected("has a line break or another control character");
    }
    return text;
}

Read<bool> as_bool(const YamlNode& node) {
    const auto text = as_text(node);
    if (!text) return std::unexpected(text.error());
    if (!node.quoted && *text == "true") return true;
    if (!node.quoted && *text == "false") return false;
    return std::unexpected(in_quotes(*text) + " is not a truth value; write true or false");
}

Read<CountPerPeriod> as_count_per_period(const YamlNode& node) {
    return as_parsed(node, parse_count_per_period);
}

Read<std::vector<YamlNode>> as_list(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::sequence) return node.items;
    if (node.kind != YamlNode::Kind::scalar) {
        return std::unexpected(fmt::format("must be a list, not {}", kind_name(node.kind)));
    }
    std::vector<YamlNode> items;
    for (std::string& part : base::split_list(node.text, ';')) {
        YamlNode item;
        item.kind = YamlNode::Kind::scalar;
        item.place = node.place;
        item.text = std::move(part);
        items.push_back(std::move(item));
    }
    return items;
}

Read<Duration> as_duration(const YamlNode& node, Duration least) {
    const auto duration = as_parsed(node, parse_duration);
    if (duration && *duration < least) {
        return std::unexpected(fmt::format("{} is too short; at least {}", in_quotes(node.text),
                                           duration_text(least)));
    }
    return duration;
}

Read<std::uint64_t> as_size(const YamlNode& node, std::uint64_t least) {
    const auto size = as_parsed(node, parse_size);
    if (size && *size < least) {
        const std::string bound = least % (1U << 20) == 0   ? fmt::format("{}MB", least >> 20)
                                  : least % (1U << 10) == 0 ? fmt::format("{}KB", least >> 10)
                                                            : fmt::format("{}", least);
        return std::unexpected(
            fmt::format("{} is too small; at least {}", in_quotes(node.text), bound));
    }
    return size;
}

Read<std::uint64_t> as_number(const YamlNode& node, std::uint64_t least, std::uint64_t most) {
    const auto text = as_text(node);
    if (!text) return std::unexpected(text.error());
    const auto value = parse_number(*text);
    if (!value || *value < least || *value > most) {
        return std::unexpected(fmt::format("{} is not a whole number from {} to {}",
                                           in_quotes(node.text), least, most));
    }
    return value;
}

Read<double> as_fraction(const YamlNode& node, double least, double most) {
    const auto value = as_parsed(node, parse_fraction);
    if (value && (*value < least || *value > most)) {
        return std::unexpected(
            fmt::format("{} is out of range; from {} to {}", in_quotes(node.text), least, most));
    }
    return value;
}

Read<std::size_t> as_one_of(const YamlNode& node, std::span<const std::string_view> names) {
    const auto text = as_text(node);
    if (!text) return std::unexpected(text.error());
    const auto found = std::ranges::find(names, *text);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    std::string hint = near_hint(*text, names);
    return std::unexpected(
        fmt::format("{} is none of {}{}", in_quotes(*text), fmt::join(names, ", "), hint));
}

}  // namespace outpost::config
