#include "delivery/courier.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "delivery/delivery_log.hpp"
#include "smtp/client_machine.hpp"

namespace outpost::delivery {
namespace {

namespace asio = boost::asio;
using std::chrono::duration_cast;
using std::chrono::microseconds;

std::vector<std::uint32_t> due_recipients(const spool::MessageState& state, const Share& share,
                                          base::WallTime now, std::uint32_t at_most) {
    std::vector<std::uint32_t> due;
    for (std::uint32_t i = 0; i < state.recipients.size() && due.size() < at_most; ++i) {
        const auto& recipient = state.recipients[i];
        if (recipient.status == spool::RecipientStatus::pending && recipient.next_attempt <= now &&
            share.has(i))
            due.push_back(i);
    }
    return due;
}

/// The upstream's trouble came up while this message was handed over, not before.
bool is_setback(const upstream::SendReport& report) {
    return report.stages.transfer.count() > 0 &&
           std::ranges::any_of(report.outcomes, is_upstream_trouble);
}

/// Whether the sender has asked to be told of a delay (NOTIFY=DELAY, or BY with mode N).
bool wants_delay_notice(const smtp::Envelope& envelope) {
    return envelope.lifetime().notify_at() != base::WallTime::max() ||
           std::ranges::any_of(envelope.recipients, [](const smtp::Recipient& recipient) {
               return recipient.notify.given && recipient.notify.delay;
           });
}

/// For how many of these recipients it is the first attempt.
std::uint32_t untried(const spool::MessageState& state, std::span<const std::uint32_t> indices) {
    return static_cast<std::uint32_t>(std::ranges::count_if(
        indices, [&](std::uint32_t index) { return state.recipients[index].attempts == 0; }));
}

/// Forgets those that were left for another send.
void drop_untried(std::vector<std::uint32_t>& indices, std::vector<upstream::Outcome>& outcomes) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < indices.size(); ++i) {
        if (outcomes[i].untried) continue;
        if (kept != i) {
            indices[kept] = indices[i];
            outcomes[kept] = std::move(outcomes[i]);
        }
        ++kept;
    }
    indices.resize(kept);
    outcomes.resize(kept);
}

/// The state of a message of which the spool has none, from what the queue knows: untried() without
/// its envelope.
spool::MessageState never_tried(const spool::QueueEntry& entry, const Share& share) {
    const std::size_t recipients = share.ways != nullptr ? share.ways->size() : entry.recipients;
    const spool::RecipientState recipient{
        .next_attempt = entry.next_attempt, .last_reply = {}, .last_upstream = {}};
    return {.recipients = std::vector(recipients, recipient)};
}

std::string_view why_expired(const smtp::Lifetime& lifetime, base::WallTime now) {
    return now >= lifetime.return_at() ? "the sender's time (BY) is over" : "spool.max_age is over";
}

}  // namespace

/// What became of the recipients of one attempt.
struct Courier::Settlement {
    const std::vector<std::uint32_t>& due;
    spool::MessageState& state;
    Notices& notices;
    message::DeliveryEvent success;
    std::vector<Settled> settled{};
    bool passed_on = false;
    bool may_take_later = false;
    bool delivered = false;
    bool in_doubt = false;
};

void Courier::settle(const Task& task, upstream::SendReport& report, const AttemptContext& context,
                     Settlement& settlement) {
    using upstream::Verdict;
    for (std::size_t i = 0; i < settlement.due.size(); ++i) {
        upstream::Outcome& outcome = report.outcomes[i];
        spool::RecipientState& recipient = settlement.state.recipients[settlement.due[i]];
        if (outcome.elsewhere && task.others) {
            RetryPolicy::pass_on(recipient, outcome, context);
            settlement.settled.push_back(Settled::passed_on);
            settlement.passed_on = true;
            settlement.may_take_later |= outcome.verdict != Verdict::failed;
            continue;
        }
        // Another upstream may take it once something has been put right there: no bounce.
        if (outcome.elsewhere && outcome.verdict == Verdict::failed &&
            task.entry.refusals.temporary != 0) {
            outcome.verdict = Verdict::deferred;
            outcome.retry_after = refused_wait;
        }
        settlement.settled.push_back(policy_.settle(recipient, outcome, context));
        settlement.notices.settled(settlement.due[i], settlement.settled.back(), outcome,
                                   settlement.success);
        settlement.delivered |= outcome.verdict == Verdict::delivered;
        settlement.in_doubt |= outcome.verdict == Verdict::uncertain;
    }
}

asio::awaitable<Courier::Result> Courier::deliver(Task task, const Permit& permit,
                                                  Destination& to) {
    spool::QueueEntry& entry = task.entry;
    const base::MonoTime started = clock_.mono();
    const base::WallTime started_at = clock_.wall();
    auto stored = co_await spool_.read(entry.id);
    if (!stored) co_return unreadable(entry, stored.error());
    const base::MonoTime have_read = clock_.mono();

    const smtp::Envelope& envelope = stored->envelope;
    spool::MessageState& state = stored->state;
    // Its sender wants it back rather than late.
    if (started_at >= envelope.lifetime().return_at()) co_return co_await attend(task, false);
    auto due = due_recipients(state, task.share, started_at, permit.recipients);
    if (due.empty()) co_return conclude(task, *stored);
    upstream::SendReport report =
        co_await to.transport->send({.id = entry.id,
                                     .envelope = envelope,
                                     .recipients = due,
                                     .body = *stored->body,
                                     .one_transaction = permit.one_transaction});
    if (report.outcomes.size() != due.size())
        throw std::logic_error("a transport must return one outcome a recipient");
    drop_untried(due, report.outcomes);
    const std::uint32_t first_time = untried(state, due);

    const bool setback = is_setback(report);
    const AttemptContext context{.now = clock_.wall(),
                                 .start = envelope.lifetime().start,
                                 .upstream = to.name,
                                 .uncertain = to.uncertain,
                                 .random = random_(),
                                 .suspect = setback && entry.setback};
    Notices notices({envelope, state, context.now}, policy_, reporter_.to());
    Settlement settlement{.due = due,
                          .state = state,
                          .notices = notices,
                          .success = success_event(envelope, report, to.final_delivery)};
    settle(task, report, context, settlement);
    const auto expired = notices.check_time();
    count_expired(expired.size());
    const AttemptRecord record{.id = entry.id,
                               .envelope = envelope,
                               .state = state,
                               .indices = due,
                               .settled = settlement.settled,
                               .report = report,
                               .upstream = to.name,
                               .waited = started_at - envelope.received,
                               .read = duration_cast<microseconds>(have_read - started),
                               .took = duration_cast<microseconds>(clock_.mono() - started)};
    log_attempt(record);
    to.counts.add(record);
    history_.attempt(record);
    note_expired(entry.id, *stored, expired);

    entry.setback = setback;
    if (!notices.empty()) co_await store_reports(entry.id, *stored, notices);
    const SentPart sent{.recipients = static_cast<std::uint32_t>(due.size()),
                        .first_time = first_time - untried(state, due)};
    Result result = conclude(task, *stored);
    result.gate = gate_report(report.outcomes, context.suspect);
    if (went_out(report)) result.sent = sent;
    result.passed_on = settlement.passed_on;
    result.may_take_later = settlement.may_take_later;
    // One that may have it already may know it again; to another one it would be new.
    result.partly_delivered =
        (settlement.delivered || settlement.in_doubt) && result.again.has_value();
    co_return result;
}

asio::awaitable<Courier::Result> Courier::attend(Task task, bool in_turn) {
    const spool::QueueEntry& entry = task.entry;
    auto stored = co_await spool_.read(entry.id);
    if (!stored) co_return unreadable(entry, stored.error());
    const base::WallTime now = clock_.wall();
    const smtp::Lifetime lifetime = stored->envelope.lifetime();
    if (in_turn && now < policy_.end(lifetime) && !wants_delay_notice(stored->envelope)) {
        Result result;
        result.again = spool::unchanged(entry);
        result.again->deadline = policy_.next_look(lifetime, now);
        co_return result;
    }
    Notices notices({stored->envelope, stored->state, now}, policy_, reporter_.to());
    if (const auto expired = notices.check_time(); !expired.empty()) {
        count_expired(expired.size());
        base::log::warning("expired", {{"id", entry.id.text()},
                                       {"account", stored->envelope.account},
                                       {"sender", stored->envelope.reverse_path},
                                       {"recipients", expired.size()},
                                       {"reason", why_expired(lifetime, now)}});
        note_expired(entry.id, *stored, expired);
    }
    if (!notices.empty()) co_await store_reports(entry.id, *stored, notices);
    co_return conclude(task, *stored);
}

asio::awaitable<Courier::Result> Courier::reschedule(Task task, base::WallTime next_attempt) {
    auto stored = co_await spool_.read(task.entry.id);
    if (!stored) co_return unreadable(task.entry, stored.error());
    auto& recipients = stored->state.recipients;
    for (std::size_t i = 0; i < recipients.size(); ++i)
        if (recipients[i].status == spool::RecipientStatus::pending && task.share.has(i))
            recipients[i].next_attempt = next_attempt;
    co_return conclude(task, *stored);
}

asio::awaitable<bool> Courier::direct(Task task, Direction direction) {
    const base::MessageId id = task.entry.id;
    auto stored = co_await spool_.stored_state(id);
    if (!stored) {
        base::log::error(
            "unreadable",
            {{"id", id.text()}, {"reason", stored.error().reason}, {"result", "not changed"}});
        co_return false;
    }
    spool::MessageState state = *stored ? std::move(**stored) : never_tried(task.entry, task.share);
    for (std::size_t i = 0; i < state.recipients.size(); ++i) {
        spool::RecipientState& recipient = state.recipients[i];
        if (recipient.status != spool::RecipientStatus::pending || !task.share.has(i)) continue;
        if (!direction.to.empty()) recipient.moved_to = direction.to;
        if (direction.priority != 0) recipient.priority = direction.priority;
    }
    spool_.record(id, std::move(state));
    co_return true;
}

asio::awaitable<Courier::Result> Courier::cancel(Task task, bool bounce, std::string reason) {
    auto stored = co_await spool_.read(task.entry.id);
    if (!stored) co_return unreadable(task.entry, stored.error());
    upstream::Outcome outcome;
    outcome.reply = smtp::own_words("The operator has cancelled the message.");
    outcome.reply.status = {5, 7, 0};
    Notices notices({stored->envelope, stored->state, clock_.wall()}, policy_, reporter_.to());
    if (reason.empty()) reason = "the operator has cancelled it";
    auto& recipients = stored->state.recipients;
    for (std::uint32_t i = 0; i < recipients.size(); ++i) {
        if (recipients[i].status != spool::RecipientStatus::pending || !task.share.has(i)) continue;
        history_.recipient({task.entry.id, stored->envelope, stored->state}, i,
                           history::Result::cancelled, reason);
        recipients[i].last_reply = outcome.reply.text();
        recipients[i].status =
            bounce ? spool::RecipientStatus::failed : spool::RecipientStatus::cancelled;
        if (bounce) notices.settled(i, Settled::failed, outcome, message::DeliveryEvent::delivered);
    }
    if (!notices.empty()) co_await store_reports(task.entry.id, *stored, notices);
    co_return conclude(task, *stored);
}

Courier::Result Courier::unreadable(const spool::QueueEntry& entry,
                                    const spool::ReadFailure& failure) {
    const std::string id = entry.id.text();
    if (failure.damaged) {
        base::log::error("damaged", {{"id", id},
                                     {"reason", failure.reason},
                                     {"result", "set aside, not delivered; see docs/spool.md"}});
        history_.message(entry.id, history::Result::damaged, {}, failure.reason);
        Result done;
        done.message_done = true;
        return done;
    }
    base::log::error("unreadable",
                     {{"id", id}, {"reason", failure.reason}, {"result", "deferred"}});
    const base::WallTime later = clock_.wall() + own_fault_wait;
    Result result;
    result.again = spool::unchanged(entry);
    result.again->next_attempt = std::max(entry.next_attempt, later);
    result.again->deadline = std::max(entry.deadline, later);
    return result;
}

asio::awaitable<bool> Courier::store_report(base::MessageId id, spool::StoredMessage& message,
                                            const Notice& notice, std::string_view kind) {
    if (notice.empty()) co_return true;
    const auto stored = co_await reporter_.send(id, message, notice.recipients);
    if (!stored) {
        base::log::error("report not stored",
                         {{"id", id.text()}, {"kind", kind}, {"reason", stored.error()}});
        co_return false;
    }
    count_report(kind);
    base::log::info("report", {{"id", id.text()},
                               {"kind", kind},
                               {"report", stored->text()},
                               {"recipients", notice.indices.size()}});
    co_return true;
}

asio::awaitable<void> Courier::store_reports(base::MessageId id, spool::StoredMessage& message,
                                             Notices& notices) {
    const base::WallTime again = clock_.wall() + own_fault_wait;
    const bool failed_stored = co_await store_report(id, message, notices.failed(), "failed");
    if (!failed_stored) notices.withdraw(notices.failed(), again);
    const bool delayed_stored = co_await store_report(id, message, notices.delayed(), "delayed");
    if (!delayed_stored) notices.withdraw(notices.delayed(), again);
    // What was delivered stays delivered: a second copy would be worse than a lost notice.
    co_await store_report(id, message, notices.succeeded(), "success");
}

void Courier::note_expired(base::MessageId id, const spool::StoredMessage& message,
                           std::span<const std::uint32_t> expired) {
    const std::string_view why = why_expired(message.envelope.lifetime(), clock_.wall());
    for (const std::uint32_t index : expired)
        history_.recipient({id, message.envelope, message.state}, index, history::Result::expired,
                           why);
}

/// Records where the message stands, and says when the entry's recipients are to be tried again.
Courier::Result Courier::conclude(const Task& task, spool::StoredMessage& message) {
    Result result;
    std::optional<spool::Requeue>& again = result.again;
    bool notified = true;
    for (std::size_t i = 0; i < message.state.recipients.size(); ++i) {
        const spool::RecipientState& recipient = message.state.recipients[i];
        if (recipient.status != spool::RecipientStatus::pending || !task.share.has(i)) continue;
        if (!again) {
            again = spool::unchanged(task.entry);
            again->next_attempt = recipient.next_attempt;
            again->recipients = again->untried = again->attempts = 0;
        }
        again->next_attempt = std::min(again->next_attempt, recipient.next_attempt);
        again->attempts = std::max(again->attempts, recipient.attempts);
        ++again->recipients;
        again->untried += recipient.attempts == 0 ? 1U : 0U;
        notified = notified && recipient.delay_notified;
    }
    result.message_done = message.state.finished();
    spool_.record(task.entry.id, std::move(message.state));
    if (!again) return result;
    if (again->next_attempt == base::WallTime::max()) {
        again->deadline = base::WallTime::max();  // what is held does not expire
        return result;
    }
    const base::WallTime now = clock_.wall();
    again->deadline = policy_.deadline(message.envelope.lifetime(), notified);
    // Still to be dealt with although its time has come: our own side could not do it just now.
    if (again->deadline <= now) again->deadline = now + own_fault_wait;
    return result;
}

}  // namespace outpost::delivery
