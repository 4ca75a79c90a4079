#include "delivery/delivery_log.hpp"

#include <string>

#include "base/log.hpp"

namespace outpost::delivery {
namespace {

/// So that a line about a mailing list stays readable.
constexpr std::size_t most_recipients = 50;

template <class Duration>
double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

std::string addresses(const AttemptRecord& record, std::size_t first, std::size_t end) {
    std::string text;
    for (std::size_t i = first; i < end; ++i) {
        if (i > first) text += ',';
        text += record.envelope.recipients[record.indices[i]].address;
    }
    return text;
}

/// When a recipient is tried again, in words.
std::string next_attempt(const AttemptRecord& record, std::size_t i) {
    if (record.settled[i] == Settled::held) return "when the upstream is back";
    if (record.settled[i] == Settled::passed_on) return "by another upstream of the group";
    return base::rfc3339(record.state.recipients[record.indices[i]].next_attempt);
}

void log_run(const AttemptRecord& record, std::size_t first, std::size_t end) {
    using base::log::Level;
    const upstream::Outcome& outcome = record.report.outcomes[first];
    const upstream::Stages& stages = record.report.stages;
    const std::string id = record.id.text();
    const std::string recipients = addresses(record, first, end);
    const std::string reply = outcome.reply.text();
    const Settled what = record.settled[first];
    const bool waits = !record.test && (what == Settled::deferred || what == Settled::held ||
                                        what == Settled::passed_on);
    const std::string next = waits ? next_attempt(record, first) : std::string("never");
    const bool fine = what == Settled::delivered;
    base::log::write(fine ? Level::info : Level::warning,
                     history::name_of(result_of(record, first)),
                     {{"id", id},
                      {"account", record.envelope.account},
                      {"sender", record.envelope.reverse_path},
                      {"recipient", recipients},
                      {"upstream", record.upstream},
                      {"remote", outcome.remote},
                      {"delay", seconds(record.waited + record.took)},
                      {"queue", seconds(record.waited)},
                      {"read", seconds(record.read)},
                      {"connect", seconds(stages.connect)},
                      {"greeting", seconds(stages.greeting)},
                      {"transfer", seconds(stages.transfer)},
                      {"next", next},
                      {"reply", reply}});
}

}  // namespace

void log_attempt(const AttemptRecord& record) {
    for_each_run(record, most_recipients, [&](std::size_t first, std::size_t end) {
        if (record.settled[first] != Settled::delivered ||
            base::log::enabled(base::log::Level::info))
            log_run(record, first, end);
    });
}

}  // namespace outpost::delivery
