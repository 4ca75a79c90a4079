#include "spool/committer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>

#include "base/checksum.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "spool/void_note.hpp"

namespace outpost::spool {

namespace {

constexpr std::uint64_t largest_batch = 8 << 20;
constexpr auto first_retry = std::chrono::milliseconds(250);
constexpr auto longest_retry = std::chrono::seconds(60);

namespace metrics = base::metrics;
metrics::Single<metrics::Histogram> commit_records(
    "outpost_spool_commit_records", "Records that one commit wrote: messages and outcomes.",
    metrics::batch_sizes);
metrics::Single<metrics::Histogram> sync_seconds("outpost_spool_sync_seconds",
                                                 "How long the sync of a commit took.",
                                                 metrics::step_seconds);
metrics::Single<metrics::Counter> commit_failures("outpost_spool_commit_failures_total",
                                                  "Commits that could not be written or synced.");

IndexEntry entry_at(RecordType type, const Location& where, Summary summary,
                    SegmentRange range = {}) {
    return {type, where.offset, where.length, std::move(summary), range};
}

}  // namespace

/// Where the records of a batch came to stand.
struct Committer::Placed {
    struct State {
        base::MessageId id;
        Location where;
        bool done = false;
        Departure departure;
    };
    struct Moved {
        const Move* move;
        Location where;
    };
    std::vector<Location> messages;
    std::vector<Moved> moves;
    std::vector<State> states;
    std::vector<std::string> ranges;  ///< encoded, for the layout to point at
};

void Committer::resume(std::unique_ptr<SegmentWriter> writer) {
    writer_ = std::move(writer);
    adopt_segment();
}

void Committer::start() {
    thread_ = std::thread([this] { run(); });
}

void Committer::stop() {
    if (thread_.joinable()) thread_.join();
}

void Committer::on_stored(std::function<void(std::span<const Summary>)> callback) {
    const std::lock_guard lock(callback_mutex_);
    callback_ = std::move(callback);
}

void Committer::run() {
    const std::uint64_t octets = std::min(parts_.segment_size, largest_batch);
    for (;;) {
        Batch batch;
        if (!parts_.inbox.take(batch, {octets, states_from_})) break;
        commit(batch);
    }
    // States that an earlier failure left over get one last chance.
    for (bool more = true; more;) {
        Batch batch;
        more = parts_.inbox.take(batch, {octets, {}});
        if (more) commit(batch);
        more = more && retry_wait_ == std::chrono::milliseconds(0);
    }
    if (writer_ && writer_->has_records()) seal_segment();
}

void Committer::commit(Batch& batch) {
    refuse_without_room(batch);
    const std::size_t records = batch.messages.size() +
                                (batch.moves ? batch.moves->moves.size() : 0) +
                                parts_.inbox.states_in_flight().size();
    if (records == 0) return;
    if (auto ready = prepare_segment(batch.octets); !ready)
        return fail(batch, ready.error(), Undo::clean);

    BatchLayout layout = writer_->layout(records);
    Placed placed;
    lay_out(batch, layout, placed);
    auto stored = writer_->write(layout);
    const bool written = stored.has_value();
    if (written) {
        const auto began = std::chrono::steady_clock::now();
        stored = writer_->sync();
        sync_seconds->observe(std::chrono::steady_clock::now() - began);
    }
    if (!stored) return fail(batch, stored.error(), undo(stored.error(), written));
    writer_->accept(layout);
    commit_records->observe(static_cast<double>(records));
    retry_wait_ = std::chrono::milliseconds(0);
    states_from_ = {};
    publish(batch, layout, placed);
}

void Committer::refuse_without_room(Batch& batch) {
    if (batch.messages.empty() && !batch.moves) return;  // outcomes are stored whenever they can be
    if (parts_.space->allows(batch.octets, std::chrono::steady_clock::now())) return;
    if (batch.moves) batch.moves->stored.set_value(false);
    batch.moves.reset();
    std::vector<Waiter> waiters;
    for (auto& message : batch.messages) waiters.push_back(std::move(message->waiter));
    batch.messages.clear();
    resume_all(std::move(waiters), std::unexpected(parts_.gate->failure()));
}

IoResult<void> Committer::prepare_segment(std::uint64_t octets) {
    if (writer_ && writer_->has_records() && writer_->size() + octets > parts_.segment_size)
        seal_segment();
    if (writer_) return {};
    auto created = SegmentWriter::create(parts_.files, parts_.paths.segments, next_segment_);
    ++next_segment_;  // also after a failure: a name that may be half there is not used again
    if (!created) return std::unexpected(created.error());
    writer_ = std::move(*created);
    adopt_segment();
    return {};
}

void Committer::adopt_segment() {
    // Laid out ahead, a segment syncs a fifth faster.
    if (parts_.space->plenty(parts_.segment_size)) writer_->file()->reserve(parts_.segment_size);
    parts_.catalog.add_segment(writer_->number(), writer_->size(), false);
    parts_.segments.put(writer_->number(), writer_->file());
}

void Committer::seal_segment() {
    parts_.catalog.seal_segment(writer_->number());
    maintenance_.sealed(std::move(*writer_).seal());
    writer_.reset();
}

void Committer::lay_out(Batch& batch, BatchLayout& layout, Placed& placed) const {
    // Moves come first: a state or done record in the same batch must stand after them.
    if (batch.moves) lay_out_moves(*batch.moves, layout, placed);
    placed.messages.reserve(batch.messages.size());
    for (const auto& message : batch.messages) {
        std::string_view head;
        std::string_view rest;
        if (message->message) {
            head = message->message->content.head;
            rest = message->message->content.rest();
        }
        const Location where = layout.add(message->header, message->metadata, head, rest);
        layout.index(entry_at(message->header.type, where, message->summary));
        placed.messages.push_back(where);
    }
    lay_out_states(layout, placed);
}

void Committer::lay_out_moves(MoveBatch& moves, BatchLayout& layout, Placed& placed) const {
    const Catalog& catalog = parts_.catalog;
    for (const Move& move : moves.moves) {
        const RecordHeader& header = move.record.header;
        const bool message =
            header.type == RecordType::message || header.type == RecordType::large_message;
        // Its delivery may have ended, or a newer state been stored, since it was read.
        if (message && catalog.find(header.id) != move.from) continue;
        if (header.type == RecordType::state &&
            (!catalog.contains(header.id) || catalog.find_state(header.id) != move.from))
            continue;
        const Location where = layout.add(header, move.record.metadata(), move.record.content());
        if (auto entry = index_entry(header, move.record.metadata())) {
            entry->offset = where.offset;
            layout.index(*entry);
        }
        placed.moves.push_back({&move, where});
    }
}

void Committer::lay_out_states(BatchLayout& layout, Placed& placed) const {
    const OutgoingStates& states = parts_.inbox.states_in_flight();
    placed.states.reserve(states.size());
    placed.ranges.reserve(states.size());
    for (const auto& [value, state] : states) {
        RecordHeader header;
        header.id = base::MessageId{value};
        header.type = state.done ? RecordType::done : RecordType::state;
        header.content_checksum = base::checksum({});
        Departure departure;
        std::string_view metadata = state.metadata;
        if (state.done) {
            departure = parts_.catalog.departure(header.id);
            metadata = placed.ranges.emplace_back(encode(departure.range));
        }
        header.metadata_length = static_cast<std::uint32_t>(metadata.size());
        header.metadata_checksum = base::checksum(metadata);
        const Location where = layout.add(header, metadata);
        Summary summary = state.change;
        summary.id = header.id;
        layout.index(entry_at(header.type, where, std::move(summary), departure.range));
        placed.states.push_back({header.id, where, state.done, departure});
    }
}

void Committer::publish(Batch& batch, const BatchLayout& layout, Placed& placed) {
    Catalog& catalog = parts_.catalog;
    catalog.grow_segment(writer_->number(), layout.end());
    for (const auto& [move, where] : placed.moves) {
        const RecordHeader& header = move->record.header;
        if (header.type == RecordType::state)
            catalog.put_state(header.id, where);
        else if (header.type != RecordType::done)
            catalog.put_message(header.id, where, header.type == RecordType::large_message);
        else if (const auto range = decode_range(move->record.metadata()))
            catalog.put_done(header.id, where, *range);
    }
    std::vector<Waiter> waiters;
    std::vector<Summary> summaries;
    waiters.reserve(batch.messages.size());
    summaries.reserve(batch.messages.size());
    const base::MonoTime now = parts_.clock.mono();
    for (std::size_t i = 0; i < batch.messages.size(); ++i) {
        OutgoingMessage& message = *batch.messages[i];
        catalog.put_message(message.header.id, placed.messages[i], message.large != nullptr);
        if (message.large) message.large->kept.store(true, std::memory_order_release);
        if (message.message) parts_.cache.put(message.header.id, std::move(message.message), now);
        waiters.push_back(std::move(message.waiter));
        summaries.push_back(std::move(message.summary));
    }
    for (const auto& state : placed.states) {
        if (!state.done) {
            catalog.put_state(state.id, state.where);
            continue;
        }
        catalog.put_done(state.id, state.where, state.departure.range);
        if (state.departure.large) parts_.large->discard(parts_.large->path(state.id));
    }
    parts_.inbox.states_stored();
    if (batch.moves) batch.moves->stored.set_value(true);
    resume_all(std::move(waiters), {});
    if (!summaries.empty()) announce(summaries);
}

Committer::Undo Committer::undo(const IoError& error, bool written) {
    const auto undone = writer_->undo();
    if (!undone)
        base::log::error("spool: a failed write cannot be undone",
                         {{"write", error.text}, {"undo", undone.error().text}});
    if (!undone) return Undo::failed;
    return written ? Undo::not_synced : Undo::clean;
}

void Committer::fail(Batch& batch, const IoError& error, Undo undone) {
    commit_failures->add();
    StoreFailure failure{StoreFailure::Kind::no_space, error.text};
    if (undone == Undo::clean && error.no_space()) {
        parts_.space->ran_out(batch.octets, error.text);
        retry_wait_ = first_retry;
    } else {
        failure.kind = StoreFailure::Kind::fail_stop;
        parts_.gate->stop(error.text);
        if (writer_) abandon_segment(undone);
        retry_wait_ =
            std::clamp<std::chrono::milliseconds>(retry_wait_ * 2, first_retry, longest_retry);
    }
    states_from_ = std::chrono::steady_clock::now() + retry_wait_;
    parts_.inbox.states_failed();
    if (batch.moves) batch.moves->stored.set_value(false);
    std::vector<Waiter> waiters;
    for (auto& message : batch.messages) waiters.push_back(std::move(message->waiter));
    batch.messages.clear();
    resume_all(std::move(waiters), std::unexpected(std::move(failure)));
}

/// What this file's syncs say is not to be trusted again: outcomes of deliveries, which go on, are
/// stored in a fresh segment if that works. The refused records are cut off; where that may not
/// have reached the disk, a note says so as well.
void Committer::abandon_segment(Undo undone) {
    if (undone != Undo::clean) {
        const auto noted = write_void_note(parts_.files, parts_.paths.segments, writer_->number(),
                                           writer_->size());
        if (!noted && undone == Undo::failed)
            base::log::error(
                "spool: refused mail could not be taken back; after a restart it may be sent",
                {{"segment", writer_->number()}, {"reason", noted.error().text}});
    }
    writer_.reset();
}

void Committer::announce(std::span<const Summary> stored) {
    const std::lock_guard lock(callback_mutex_);
    if (callback_) callback_(stored);
}

namespace {

/// The waiters of one executor, resumed in one go. If one of them throws, the others still get
/// their turn.
void resume_group(std::vector<Waiter> group, const std::expected<void, StoreFailure>& result) {
    for (auto waiter = group.begin(); waiter != group.end(); ++waiter) {
        try {
            waiter->resume(result);
        } catch (...) {
            std::vector<Waiter> rest(std::move_iterator(waiter + 1),
                                     std::move_iterator(group.end()));
            if (!rest.empty()) resume_all(std::move(rest), result);
            throw;
        }
    }
}

}  // namespace

void resume_all(std::vector<Waiter> waiters, const std::expected<void, StoreFailure>& result) {
    constexpr std::size_t most_groups = 8;
    std::vector<std::vector<Waiter>> groups;
    const auto post = [&](std::vector<Waiter>& group) {
        auto executor = group.front().executor;
        boost::asio::post(executor, [waiting = std::move(group), result]() mutable {
            resume_group(std::move(waiting), result);
        });
    };
    for (Waiter& waiter : waiters) {
        auto group = std::ranges::find_if(
            groups, [&](const auto& g) { return g.front().executor == waiter.executor; });
        if (group == groups.end()) {
            if (groups.size() == most_groups) {
                post(groups.front());
                groups.erase(groups.begin());
            }
            group = groups.emplace(groups.end());
        }
        group->push_back(std::move(waiter));
    }
    for (auto& group : groups) post(group);
}

}  // namespace outpost::spool
