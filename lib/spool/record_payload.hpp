#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "smtp/envelope.hpp"
#include "spool/state.hpp"

/// What records carry beside the octets of a message: docs/spool.md, "Metadata". Decoders take any
/// octets and give nothing where they do not fit. Pure.
namespace outpost::spool {

/// Where the octets of a large message are checked against; the file's name is the id's.
struct LargeReference {
    std::uint64_t size = 0;
    std::uint64_t checksum = 0;

    bool operator==(const LargeReference&) const = default;
};

/// The segments that may hold a message record which a `done` record takes back: as long as any
/// of them exists, that `done` record must.
struct SegmentRange {
    std::uint32_t oldest = 0;
    std::uint32_t newest = 0;

    auto operator<=>(const SegmentRange&) const = default;
};

[[nodiscard]] std::string encode(const smtp::Envelope& envelope);
[[nodiscard]] std::string encode(const smtp::Envelope& envelope, const LargeReference& large);
[[nodiscard]] std::string encode(const MessageState& state);
[[nodiscard]] std::string encode(const SegmentRange& range);

/// `large` is set if the octets hold a reference, which only those of a large message may.
[[nodiscard]] std::optional<smtp::Envelope> decode_envelope(std::string_view octets,
                                                            std::optional<LargeReference>& large);
[[nodiscard]] std::optional<MessageState> decode_state(std::string_view octets);
[[nodiscard]] std::optional<SegmentRange> decode_range(std::string_view octets);

}  // namespace outpost::spool
