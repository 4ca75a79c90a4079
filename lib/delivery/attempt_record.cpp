#include "delivery/attempt_record.hpp"

#include <algorithm>

namespace outpost::delivery {
namespace {

bool same_result(const AttemptRecord& record, std::size_t a, std::size_t b) {
    const auto& outcomes = record.report.outcomes;
    return record.settled[a] == record.settled[b] && outcomes[a].verdict == outcomes[b].verdict &&
           outcomes[a].reply == outcomes[b].reply && outcomes[a].remote == outcomes[b].remote;
}

}  // namespace

history::Result result_of(const AttemptRecord& record, std::size_t i) noexcept {
    using history::Result;
    const bool nobody_told = record.test || record.envelope.reverse_path.empty();
    switch (record.settled[i]) {
        case Settled::delivered: return Result::delivered;
        case Settled::failed: return nobody_told ? Result::dropped : Result::bounced;
        case Settled::expired: return nobody_told ? Result::dropped : Result::expired;
        case Settled::uncertain: return Result::uncertain;
        case Settled::passed_on: return Result::passed_on;
        case Settled::deferred:
        case Settled::held: break;
    }
    const bool uncertain = record.report.outcomes[i].verdict == upstream::Verdict::uncertain;
    if (uncertain) return Result::uncertain;
    return record.test ? Result::dropped : Result::deferred;
}

bool went_out(const upstream::SendReport& report) {
    using upstream::Verdict;
    return report.stages.transfer.count() > 0 ||
           std::ranges::any_of(report.outcomes, [](const upstream::Outcome& outcome) {
               return outcome.verdict != Verdict::deferred &&
                      outcome.verdict != Verdict::misconfigured;
           });
}

void for_each_run(const AttemptRecord& record, std::size_t most,
                  const std::function<void(std::size_t first, std::size_t end)>& use) {
    for (std::size_t first = 0; first < record.indices.size();) {
        std::size_t end = first + 1;
        while (end < record.indices.size() && end - first < most && same_result(record, first, end))
            ++end;
        use(first, end);
        first = end;
    }
}

}  // namespace outpost::delivery
