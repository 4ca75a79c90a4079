#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "spool/parts.hpp"
#include "spool/segment_writer.hpp"

/// The start: finds what is stored, cuts off what a crash left unfinished, sets damage aside, and
/// fills the catalog. Runs before any other thread of the spool. Blocks.
namespace outpost::spool {

struct Recovered {
    std::vector<Summary> messages;  ///< oldest first
    RecoveryReport report;
    std::optional<OpenSegment> open;  ///< the segment to go on with
    std::uint32_t next_segment = 1;
    base::MessageId last_id;
};

/// The error says why the spool cannot be used at all: damage is none.
[[nodiscard]] std::expected<Recovered, std::string> recover(Parts& parts);

}  // namespace outpost::spool
