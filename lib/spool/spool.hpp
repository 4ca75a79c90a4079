#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "net/offload.hpp"
#include "smtp/envelope.hpp"
#include "spool/body.hpp"
#include "spool/file_system.hpp"
#include "spool/large_body.hpp"
#include "spool/state.hpp"

/// The durable store of accepted mail (promises S1 to S6, docs/spool.md): an append-only segmented
/// log that one committer thread writes and syncs for all who wait. All members are thread-safe
/// unless they say otherwise.
namespace outpost::spool {

/// Why nothing was stored. The caller answers 452 4.3.1; nothing of the message stays.
struct StoreFailure {
    enum class Kind : std::uint8_t {
        no_space,   ///< below min_free, or ENOSPC cleanly undone: resumes by itself
        fail_stop,  ///< a write or sync failed: only a restart resumes acceptance (S4)
        closing,
    };
    Kind kind;
    std::string reason;  ///< for the log: file, call, errno
};

/// What the queue needs to know of a stored message; small, kept for each.
struct Summary {
    base::MessageId id;
    std::string account;
    std::uint32_t recipients = 0;  ///< pending ones
    std::uint64_t size = 0;        ///< octets of the stored message
    base::WallTime received{};
    smtp::Lifetime lifetime;
    base::WallTime next_attempt{};  ///< the earliest of the pending recipients; epoch = now
    std::uint8_t priority = 3;      ///< the operator's, if he has given it one
    std::uint8_t attempts = 0;      ///< the most of any pending recipient
    bool delay_notified = false;
    /// The operator has moved pending recipients, or given some another priority than the others:
    /// the state says what.
    bool decided = false;
};

/// A message to be stored. Small messages bring their octets, large ones a file already filled
/// through Spool::begin_large.
struct NewMessage {
    base::MessageId id;
    smtp::Envelope envelope;
    std::variant<Content, LargeBody> body;
};

/// A stored message read back.
struct StoredMessage {
    smtp::Envelope envelope;
    MessageState state;  ///< one entry a recipient
    std::unique_ptr<BodySource> body;
};

struct ReadFailure {
    bool damaged = false;  ///< checksum mismatch: the message is set aside, not retried
    std::string reason;
};

struct Options {
    std::filesystem::path directory;
    std::uint64_t segment_size = 64ULL << 20;
    std::uint64_t large_message = 256ULL << 10;
    std::uint64_t min_free = 512ULL << 20;
};

struct Health {
    bool accepting = true;
    StoreFailure::Kind kind = StoreFailure::Kind::no_space;  ///< why not, if not
    std::string reason;
};

/// What the spool takes up on the disk, and what is left there.
struct DiskUse {
    std::uint64_t messages = 0;  ///< accepted and not finished
    std::uint64_t large_files = 0;
    std::uint64_t segments = 0;
    std::uint64_t segment_octets = 0;
    std::optional<std::uint64_t> free_octets{};  ///< nothing: the file system does not say
};

/// What recovery found, for the log.
struct RecoveryReport {
    std::uint64_t messages = 0;
    std::uint64_t segments = 0;
    std::uint64_t segments_scanned = 0;  ///< without a usable index file
    std::uint64_t damaged_records = 0;
    std::vector<std::string> notes;  ///< one line each: file, offset, what was wrong
};

class Spool {
  public:
    /// Locks the directory (S6), recovers what is stored, starts the committer thread. The error
    /// names the path, and the pid that holds the lock where that is the cause.
    static std::expected<std::unique_ptr<Spool>, std::string> open(Options options,
                                                                   FileSystem& files,
                                                                   const base::Clock& clock,
                                                                   net::OffloadPool& readers);
    virtual ~Spool() = default;

    /// Messages found at the start, oldest first; empties the list. Call once, before on_stored.
    virtual std::vector<Summary> take_recovered() = 0;
    [[nodiscard]] virtual const RecoveryReport& recovery() const noexcept = 0;

    [[nodiscard]] virtual base::MessageId next_id() = 0;

    /// A file of its own for a message over Options::large_message, to be filled piece by piece.
    virtual boost::asio::awaitable<std::expected<LargeBodyWriter, StoreFailure>> begin_large(
        base::MessageId id) = 0;

    /// Returns once message and envelope are on stable storage (S1).
    virtual boost::asio::awaitable<std::expected<void, StoreFailure>> append(
        NewMessage message) = 0;

    /// Stores where a message stands; synced within 50 ms or with the next commit (S3). A finished
    /// state lets the message go. States of one message are kept in the order of the calls.
    virtual void record(base::MessageId id, MessageState state) = 0;

    /// Envelope, state and body of a message, from memory if it was stored just now. Reading from
    /// disk is off-loaded.
    virtual boost::asio::awaitable<std::expected<StoredMessage, ReadFailure>> read(
        base::MessageId id) = 0;

    /// Where a message stands, without reading the message itself. Nothing if there is no state of
    /// it: it is pending for all and was never tried.
    virtual boost::asio::awaitable<std::expected<std::optional<MessageState>, ReadFailure>>
    stored_state(base::MessageId id) = 0;

    /// The envelopes of these messages, off-loaded and in the order of the log, with no look at the
    /// octets of a body. Nothing for one that cannot be had in this way; read() may still have it.
    virtual boost::asio::awaitable<std::vector<std::optional<smtp::Envelope>>> read_envelopes(
        std::vector<base::MessageId> ids) = 0;

    /// Called on the committer thread after each commit with what became durable in it.
    virtual void on_stored(std::function<void(std::span<const Summary>)> callback) = 0;

    /// Cheap: no I/O, no allocation unless unhealthy.
    [[nodiscard]] virtual Health health() const = 0;

    /// One question to the file system, no reading or writing.
    [[nodiscard]] virtual DiskUse disk_use() const = 0;

    /// Writes and syncs what waits, stops the committer, releases the lock. Appends that come
    /// later fail with `closing`. Call once, from no coroutine of the spool's users.
    virtual void close() = 0;
};

}  // namespace outpost::spool
