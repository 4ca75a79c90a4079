#include "delivery/counts.hpp"

#include <algorithm>
#include <chrono>

namespace outpost::delivery {
namespace {

namespace metrics = base::metrics;
using std::chrono::microseconds;

/// By Settled.
constexpr std::array<std::string_view, 7> outcomes{"delivered", "deferred",  "held",     "bounced",
                                                   "expired",   "uncertain", "passed_on"};
static_assert(static_cast<std::size_t>(Settled::passed_on) + 1 == outcomes.size());

metrics::Family<metrics::Counter> recipients_total("outpost_delivery_recipients_total",
                                                   "What attempts came to, each recipient counted.",
                                                   {"upstream", "outcome"});
metrics::Family<metrics::Histogram> stage_seconds("outpost_delivery_seconds",
                                                  "How long attempts and their stages took.",
                                                  {"upstream", "stage"}, metrics::step_seconds);
metrics::Enumerated<metrics::Histogram, 5> queue_seconds(
    "outpost_queue_seconds",
    "From acceptance, or the release that was asked for, to delivery, by priority.", "priority",
    {"1", "2", "3", "4", "5"}, metrics::wait_seconds);
metrics::Single<metrics::Counter> expired_recipients(
    "outpost_expired_recipients_total", "Recipients given up because they had waited too long.");

constexpr std::array<std::string_view, 3> report_kinds{"failed", "delayed", "success"};
metrics::Enumerated<metrics::Counter, 3> reports("outpost_reports_total",
                                                 "Reports to senders that were made.", "kind",
                                                 report_kinds);

/// Zero: the stage was left out, as a connection was used again.
void observe(metrics::Histogram& histogram, microseconds took) noexcept {
    if (took.count() > 0) histogram.observe(std::chrono::duration<double>(took));
}

void observe_wait(const AttemptRecord& record) noexcept {
    if (record.test) return;
    if (std::ranges::find(record.settled, Settled::delivered) == record.settled.end()) return;
    const smtp::Envelope& envelope = record.envelope;
    const auto held_back = envelope.lifetime().start - envelope.received;
    const auto waited = std::max<std::chrono::microseconds>(record.waited + record.took - held_back,
                                                            microseconds(0));
    const int priority = std::clamp<int>(envelope.priority, 1, 5);
    queue_seconds[static_cast<std::size_t>(priority - 1)].observe(
        std::chrono::duration<double>(waited));
}

}  // namespace

AttemptCounts::AttemptCounts(std::string_view upstream)
    : connect_(&stage_seconds.with({upstream, "connect"})),
      greeting_(&stage_seconds.with({upstream, "greeting"})),
      transfer_(&stage_seconds.with({upstream, "transfer"})),
      total_(&stage_seconds.with({upstream, "total"})) {
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        recipients_[i] = &recipients_total.with({upstream, outcomes[i]});
}

void AttemptCounts::add(const AttemptRecord& record) noexcept {
    for (std::size_t i = 0; i < record.settled.size(); ++i) {
        Settled what = record.settled[i];
        // As the log has it: it may have arrived, and is sent again.
        if (what == Settled::deferred &&
            record.report.outcomes[i].verdict == upstream::Verdict::uncertain)
            what = Settled::uncertain;
        recipients_[static_cast<std::size_t>(what)]->add();
    }
    observe(*connect_, record.report.stages.connect);
    observe(*greeting_, record.report.stages.greeting);
    observe(*transfer_, record.report.stages.transfer);
    observe(*total_, record.took);
    observe_wait(record);
}

void count_expired(std::size_t recipients) noexcept {
    expired_recipients->add(recipients);
}

void count_report(std::string_view kind) noexcept {
    const auto found = std::ranges::find(report_kinds, kind);
    if (found != report_kinds.end())
        reports[static_cast<std::size_t>(found - report_kinds.begin())].add();
}

}  // namespace outpost::delivery
