#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "delivery/attempt_record.hpp"
#include "history/event.hpp"
#include "smtp/envelope.hpp"
#include "spool/state.hpp"

namespace outpost::delivery {

/// Writes down what happens to messages.
class HistoryNotes {
  public:
    /// `sink`: null if nobody keeps it. Both outlive the notes.
    HistoryNotes(history::Sink* sink, const base::Clock& clock) : sink_(sink), clock_(clock) {}

    /// One entry for each run of recipients with the same result and reply.
    void attempt(const AttemptRecord& record) const;

    struct Message {
        base::MessageId id;
        const smtp::Envelope& envelope;
        const spool::MessageState& state;
    };
    /// To one recipient without an attempt; `why` comes before the last reply, if there was one.
    void recipient(const Message& message, std::uint32_t index, history::Result result,
                   std::string_view why) const;
    /// To the message as a whole.
    void message(base::MessageId id, history::Result result, std::string_view account,
                 std::string_view words) const;

  private:
    history::Sink* sink_;
    const base::Clock& clock_;
};

}  // namespace outpost::delivery
