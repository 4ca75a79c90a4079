#include "delivery/history_notes.hpp"

#include <chrono>
#include <limits>
#include <utility>

namespace outpost::delivery {
namespace {

history::Event run_event(const AttemptRecord& record, std::size_t first) {
    using std::chrono::microseconds;
    const upstream::Outcome& outcome = record.report.outcomes[first];
    const upstream::Stages& stages = record.report.stages;
    history::Event event{.id = record.id,
                         .result = result_of(record, first),
                         .account = record.envelope.account,
                         .sender = record.envelope.reverse_path,
                         .upstream = std::string(record.upstream),
                         .remote = outcome.remote,
                         .reply = outcome.reply.text(),
                         .latency = {.queue = record.waited,
                                     .read = record.read,
                                     .connect = stages.connect,
                                     .greeting = stages.greeting,
                                     .transfer = stages.transfer,
                                     .total = record.waited + record.took}};
    if (record.settled[first] == Settled::deferred && !record.test)
        event.next_attempt = record.state.recipients[record.indices[first]].next_attempt;
    return event;
}

}  // namespace

void HistoryNotes::attempt(const AttemptRecord& record) const {
    if (sink_ == nullptr) return;
    const base::WallTime now = clock_.wall();
    for_each_run(
        record, std::numeric_limits<std::size_t>::max(), [&](std::size_t first, std::size_t end) {
            history::Entry entry{.event = run_event(record, first), .recipients = {}};
            entry.event.at = now;
            for (std::size_t i = first; i < end; ++i)
                entry.recipients.push_back(record.envelope.recipients[record.indices[i]].address);
            sink_->put(std::move(entry));
        });
}

void HistoryNotes::recipient(const Message& message, std::uint32_t index, history::Result result,
                             std::string_view why) const {
    if (sink_ == nullptr) return;
    const spool::RecipientState& state = message.state.recipients[index];
    std::string reply(why);
    if (!state.last_reply.empty()) reply += "; the last attempt: " + state.last_reply;
    sink_->put({.event = {.at = clock_.wall(),
                          .id = message.id,
                          .result = result,
                          .account = message.envelope.account,
                          .sender = message.envelope.reverse_path,
                          .upstream = state.last_upstream,
                          .remote = {},
                          .reply = std::move(reply)},
                .recipients = {message.envelope.recipients[index].address}});
}

void HistoryNotes::message(base::MessageId id, history::Result result, std::string_view account,
                           std::string_view words) const {
    if (sink_ == nullptr) return;
    sink_->put({.event = {.at = clock_.wall(),
                          .id = id,
                          .result = result,
                          .account = std::string(account),
                          .sender = {},
                          .upstream = {},
                          .remote = {},
                          .reply = std::string(words)},
                .recipients = {}});
}

}  // namespace outpost::delivery
