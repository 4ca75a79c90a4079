#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "history/event.hpp"

namespace outpost::store {

struct QueryFailure {
    bool damaged = false;
    std::string reason;
};

/// The rows that fit, on a connection of its own. Gives up after five seconds: some filters have no
/// index, and many rows may have to be looked at.
[[nodiscard]] std::expected<std::vector<history::Row>, QueryFailure> find(
    const std::filesystem::path& file, const history::Query& query);

}  // namespace outpost::store
