#pragma once

#include <array>
#include <expected>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/diagnostics.hpp"
#include "config/types.hpp"
#include "config/yaml_source.hpp"

namespace outpost::config {

/// A value, or what is wrong with it in words that follow `KEY: `.
template <class T>
using Read = std::expected<T, std::string>;

/// A mapping while it is read. Every key that is asked for is known; finish() reports the others.
class Section {
  public:
    /// `node` may be null or of another kind: then the section is empty, and a wrong kind reported.
    Section(const YamlNode* node, std::string path, Diagnostics& diagnostics);

    /// The entry of a key that is set to something; a key without a value is reported.
    [[nodiscard]] const YamlEntry* find(std::string_view key);
    /// Sets `target` if the key is there and `reader`, YamlNode -> Read<T>, takes its value.
    template <class T, class Reader>
    void read(std::string_view key, T& target, Reader reader) {
        const YamlEntry* const entry = find(key);
        if (entry == nullptr) return;
        auto value = reader(entry->value);
        if (value) {
            target = std::move(*value);
        } else {
            error(*entry, std::move(value.error()));
        }
    }
    /// Reports what is wrong with the entry's value.
    void error(const YamlEntry& entry, std::string message);
    /// Reports a key that must be there if the section is, at its place.
    void missing(std::string_view key, std::string message);
    /// Reports unknown keys.
    void finish();

    [[nodiscard]] const Place& place() const noexcept { return place_; }
    [[nodiscard]] std::string path_of(std::string_view key) const { return join_key(path_, key); }
    [[nodiscard]] Diagnostics& diagnostics() const noexcept { return *diagnostics_; }
    [[nodiscard]] const std::vector<YamlEntry>& entries() const noexcept { return node_->entries; }

  private:
    const YamlNode* node_;  ///< an empty one if there is no mapping
    bool mapping_ = false;
    Place place_;
    std::string path_;
    Diagnostics* diagnostics_;
    std::vector<std::string_view> known_;
};

/// What `use` makes of a value that could be read (libstdc++ 12 lacks std::expected::transform).
template <class T, class Use>
[[nodiscard]] auto mapped(Read<T> read, Use use) -> Read<std::invoke_result_t<Use, T>> {
    if (!read) return std::unexpected(std::move(read.error()));
    return use(std::move(*read));
}

/// A scalar's text. A wrong kind is reported without showing any of it.
[[nodiscard]] Read<std::string> as_text(const YamlNode& node);
/// What `parser` makes of a scalar's text.
template <class T>
[[nodiscard]] Read<T> as_parsed(const YamlNode& node, Read<T> (*parser)(std::string_view)) {
    const auto text = as_text(node);
    if (!text) return std::unexpected(text.error());
    return parser(*text);
}
/// A text that is not empty and has no control characters.
[[nodiscard]] Read<std::string> as_line(const YamlNode& node);
/// `true` or `false`, not in quotes.
[[nodiscard]] Read<bool> as_bool(const YamlNode& node);
[[nodiscard]] Read<CountPerPeriod> as_count_per_period(const YamlNode& node);
/// A YAML list, or a text with `;` between entries; each entry with its place.
[[nodiscard]] Read<std::vector<YamlNode>> as_list(const YamlNode& node);

[[nodiscard]] Read<Duration> as_duration(const YamlNode& node, Duration least);
[[nodiscard]] Read<std::uint64_t> as_size(const YamlNode& node, std::uint64_t least);
[[nodiscard]] Read<std::uint64_t> as_number(const YamlNode& node, std::uint64_t least,
                                            std::uint64_t most);
[[nodiscard]] Read<double> as_fraction(const YamlNode& node, double least, double most);

/// Which of `names` the text is; says what there is, and which one is near.
[[nodiscard]] Read<std::size_t> as_one_of(const YamlNode& node,
                                          std::span<const std::string_view> names);

/// A reader of an enumeration whose enumerators count from 0 in the order of `names`.
template <class Enum, std::size_t count>
[[nodiscard]] auto choice(const std::array<std::string_view, count>& names) {
    return [names](const YamlNode& node) -> Read<Enum> {
        return mapped(as_one_of(node, names),
                      [](std::size_t index) { return static_cast<Enum>(index); });
    };
}

/// A reader of a whole number in a range.
template <class Number>
[[nodiscard]] auto number(Number least, Number most = std::numeric_limits<Number>::max()) {
    return [least, most](const YamlNode& node) -> Read<Number> {
        return mapped(as_number(node, least, most),
                      [](std::uint64_t value) { return static_cast<Number>(value); });
    };
}

}  // namespace outpost::config
