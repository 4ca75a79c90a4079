#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "spool/maintenance.hpp"
#include "spool/parts.hpp"
#include "spool/segment_writer.hpp"

/// The one thread that writes the log. It takes all that waits, writes it with one call, syncs
/// once, and then tells everybody. Promises S1 and S4 are kept here: nothing is acknowledged before
/// its sync succeeded, and after a failure nothing of the refused batch stays and no further mail
/// is taken.
namespace outpost::spool {

class Committer {
  public:
    /// `next_segment`: the number of the segment to be created next.
    Committer(Parts& parts, Maintenance& maintenance, std::uint32_t next_segment)
        : parts_(parts), maintenance_(maintenance), next_segment_(next_segment) {}
    ~Committer() { stop(); }
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    /// Before start(): go on with a segment.
    void resume(std::unique_ptr<SegmentWriter> writer);
    void start();
    /// Writes what waits, then ends; the inbox must be closed. An orderly end leaves an index file
    /// for the last segment, so that the next start reads no bodies.
    void stop();
    void on_stored(std::function<void(std::span<const Summary>)> callback);

  private:
    using Messages = std::vector<std::unique_ptr<OutgoingMessage>>;
    struct Placed;

    void run();
    void commit(Batch& batch);
    void refuse_without_room(Batch& batch);
    [[nodiscard]] IoResult<void> prepare_segment(std::uint64_t octets);
    void adopt_segment();
    void seal_segment();
    void lay_out(Batch& batch, BatchLayout& layout, Placed& placed) const;
    void lay_out_moves(MoveBatch& moves, BatchLayout& layout, Placed& placed) const;
    void lay_out_states(BatchLayout& layout, Placed& placed) const;
    void publish(Batch& batch, const BatchLayout& layout, Placed& placed);
    /// What became of a batch that could not be stored.
    enum class Undo : std::uint8_t { clean, not_synced, failed };
    [[nodiscard]] Undo undo(const IoError& error, bool written);
    void fail(Batch& batch, const IoError& error, Undo undone);
    void abandon_segment(Undo undone);
    void announce(std::span<const Summary> stored);

    Parts& parts_;
    Maintenance& maintenance_;
    std::unique_ptr<SegmentWriter> writer_;
    std::uint32_t next_segment_;
    base::MonoTime states_from_{};  ///< after a failure: when to try again with what is unsaved
    std::chrono::milliseconds retry_wait_{0};
    std::mutex callback_mutex_;
    std::function<void(std::span<const Summary>)> callback_;
    std::thread thread_;
};

/// Resumes each waiter on its executor, all of one executor with a single wake-up.
void resume_all(std::vector<Waiter> waiters, const std::expected<void, StoreFailure>& result);

}  // namespace outpost::spool
