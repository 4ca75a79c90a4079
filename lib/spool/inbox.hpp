#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "spool/outgoing.hpp"

/// Where sessions and deliveries leave what the committer is to write, under one short lock and
/// with one wake-up a batch. put and find are for any thread, the rest for the committer's.
namespace outpost::spool {

class Inbox {
  public:
    /// `state_delay`: how long a state alone waits for others.
    explicit Inbox(std::chrono::milliseconds state_delay) : state_delay_(state_delay) {}

    /// Takes the message, or leaves it where it is and returns false if the spool is closing.
    [[nodiscard]] bool put_message(std::unique_ptr<OutgoingMessage>& message);
    /// A done message stays done, whatever comes later.
    void put_state(base::MessageId id, OutgoingState state);
    [[nodiscard]] bool put_moves(std::shared_ptr<MoveBatch> moves);
    /// A state that is not durable yet.
    [[nodiscard]] std::optional<OutgoingState> find_state(base::MessageId id) const;
    /// No more messages and moves; what is there is still written.
    void close();

    struct Limits {
        std::uint64_t octets = 0;      ///< stop taking at this size; at least one record is taken
        base::MonoTime states_from{};  ///< no states before this time
    };
    /// Waits for something to commit. A message is never kept waiting, a state alone for a moment
    /// in case others come. False: closed, and nothing is left but states that may not go yet.
    [[nodiscard]] bool take(Batch& batch, const Limits& limits);
    /// The states that go with the batch taken last. Only the committer changes them.
    [[nodiscard]] const OutgoingStates& states_in_flight() const noexcept { return in_flight_; }
    /// They are durable now; or they are not, and wait for another turn.
    void states_stored();
    void states_failed();

  private:
    [[nodiscard]] bool states_due(const Limits& limits, base::MonoTime now) const;
    void take_messages(Batch& batch, const Limits& limits);
    std::uint64_t take_states(std::uint64_t octets);

    const std::chrono::milliseconds state_delay_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool waiting_ = false;
    bool closed_ = false;
    std::deque<std::unique_ptr<OutgoingMessage>> messages_;
    std::deque<std::shared_ptr<MoveBatch>> moves_;
    OutgoingStates states_;
    std::uint64_t states_octets_ = 0;
    base::MonoTime first_state_{};
    OutgoingStates in_flight_;
};

}  // namespace outpost::spool
