#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/types.hpp"
#include "config/yaml_source.hpp"

namespace outpost::config {

/// The keys of a configuration by their paths, as they were written; a list is one value.
[[nodiscard]] std::map<std::string, Setting> settings_of(const YamlNode& root);

/// What is different, a line a key: `accounts.shop.rate: 600/h -> 1200/h`. Secrets are not shown.
/// What is not written differently but means something else now (a secret's file, a default) is
/// named as a whole: `upstreams.office: a file, variable or default that it refers to has changed`.
[[nodiscard]] std::vector<std::string> changes(const Config& before, const Config& after);

}  // namespace outpost::config
