#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "spool/hot_cache.hpp"
#include "spool/large_store.hpp"
#include "spool/record_format.hpp"
#include "spool/segment_reader.hpp"

/// What is on its way to the log.
namespace outpost::spool {

/// Who waits for a commit. `resume` is called on `executor`, which is kept busy until then.
struct Waiter {
    boost::asio::any_io_executor executor;
    std::move_only_function<void(std::expected<void, StoreFailure>)> resume;
};

struct OutgoingMessage {
    RecordHeader header;  ///< type, id, lengths and checksums; its place comes with the commit
    std::string metadata;
    std::unique_ptr<HotMessage> message;  ///< a small message's octets
    std::shared_ptr<LargeFile> large;     ///< or a large one's file
    Summary summary;
    Waiter waiter;

    [[nodiscard]] std::uint64_t octets() const noexcept { return header.length(); }
};

/// Where a message stands, not yet durable. The newest of a message replaces those before it.
struct OutgoingState {
    bool done = false;
    std::string metadata;  ///< encoded state; empty if done
    Summary change;
};

using OutgoingStates = boost::unordered_flat_map<std::uint64_t, OutgoingState>;

/// A record that compaction carries to the end of the log.
struct Move {
    Location from;
    Record record;
};

struct MoveBatch {
    std::vector<Move> moves;
    std::uint64_t octets = 0;
    std::promise<bool> stored;  ///< whether all that were still needed are durable
};

/// What one commit takes.
struct Batch {
    std::vector<std::unique_ptr<OutgoingMessage>> messages;
    std::shared_ptr<MoveBatch> moves;
    std::uint64_t octets = 0;  ///< of both, and of the states that go along
};

}  // namespace outpost::spool
