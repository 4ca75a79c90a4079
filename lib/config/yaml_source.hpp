#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.hpp"

namespace outpost::config {

struct YamlEntry;

/// A YAML value with its place. Aliases are expanded and merge keys (`<<`) applied.
struct YamlNode {
    enum class Kind : std::uint8_t { null, scalar, sequence, mapping };

    Kind kind = Kind::null;
    Place place;
    bool quoted = false;             ///< a scalar in quotes or a block
    std::string text;                ///< of a scalar
    std::vector<YamlNode> items;     ///< of a sequence
    std::vector<YamlEntry> entries;  ///< of a mapping, each key once

    [[nodiscard]] const YamlEntry* find(std::string_view key) const;
};

struct YamlEntry {
    std::string key;
    Place place;  ///< of the key
    YamlNode value;
};

/// Parses one document. What is wrong goes to `diagnostics`; a key set twice is, and keeps its
/// first value. Nothing if the text is no YAML at all, or empty.
[[nodiscard]] std::optional<YamlNode> parse_yaml(const std::shared_ptr<const SourceFile>& file,
                                                 const std::string& text, Diagnostics& diagnostics);

/// Puts the entries of `addition` into `target`, both mappings, deep: a key that both have is an
/// error unless it is a mapping in both.
void merge_yaml(YamlNode& target, YamlNode addition, const std::string& path,
                Diagnostics& diagnostics);

/// `a.b`, or `b` if `path` is empty.
[[nodiscard]] std::string join_key(std::string_view path, std::string_view key);

}  // namespace outpost::config
