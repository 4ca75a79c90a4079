#include "delivery/counts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "fake_transport.hpp"

namespace outpost::delivery {
namespace {

using namespace std::chrono_literals;
using base::metrics::Sample;

/// One member as it is now.
Sample member(std::string_view family, const std::vector<std::string>& labels) {
    for (const auto& each : base::metrics::snapshot())
        if (each.name == family)
            for (const Sample& sample : each.samples)
                if (sample.labels == labels) return sample;
    return {};
}

std::uint64_t observed(const Sample& sample) {
    return std::accumulate(sample.histogram.counts.begin(), sample.histogram.counts.end(),
                           std::uint64_t{0});
}

class AttemptCountsTest : public ::testing::Test {
  protected:
    void add(Settled what, upstream::Verdict verdict = upstream::Verdict::deferred) {
        settled.push_back(what);
        report.outcomes.emplace_back().verdict = verdict;
    }
    void count(const std::string& upstream) {
        AttemptCounts(upstream).add({.id = base::MessageId{1},
                                     .envelope = envelope,
                                     .state = state,
                                     .indices = {},
                                     .settled = settled,
                                     .report = report,
                                     .upstream = upstream,
                                     .waited = 90s,
                                     .took = 2s,
                                     .test = test});
    }
    static double recipients(const std::string& upstream, const char* outcome) {
        return member("outpost_delivery_recipients_total", {upstream, outcome}).value;
    }

    smtp::Envelope envelope;
    spool::MessageState state;
    std::vector<Settled> settled;
    upstream::SendReport report;
    bool test = false;
};

TEST_F(AttemptCountsTest, EachRecipientCountsByWhatBecameOfIt) {
    add(Settled::delivered);
    add(Settled::delivered);
    add(Settled::deferred);
    add(Settled::deferred, upstream::Verdict::uncertain);
    add(Settled::uncertain, upstream::Verdict::uncertain);
    add(Settled::failed);
    count("one");
    EXPECT_EQ(recipients("one", "delivered"), 2);
    EXPECT_EQ(recipients("one", "deferred"), 1);
    EXPECT_EQ(recipients("one", "uncertain"), 2);
    EXPECT_EQ(recipients("one", "bounced"), 1);
    EXPECT_EQ(recipients("one", "held"), 0);
}

TEST_F(AttemptCountsTest, AStageThatWasLeftOutIsNotObserved) {
    add(Settled::deferred);
    report.stages.transfer = 30ms;
    count("two");
    EXPECT_EQ(observed(member("outpost_delivery_seconds", {"two", "connect"})), 0U);
    EXPECT_EQ(observed(member("outpost_delivery_seconds", {"two", "greeting"})), 0U);
    EXPECT_EQ(observed(member("outpost_delivery_seconds", {"two", "transfer"})), 1U);
    EXPECT_DOUBLE_EQ(member("outpost_delivery_seconds", {"two", "total"}).histogram.sum, 2.0);
}

TEST_F(AttemptCountsTest, TheTimeInTheQueueBeginsWithTheReleaseAndEndsWithADelivery) {
    const Sample before = member("outpost_queue_seconds", {"2"});
    envelope.priority = 2;
    envelope.received = base::WallTime(1000s);
    add(Settled::deferred);
    count("three");
    EXPECT_EQ(observed(member("outpost_queue_seconds", {"2"})), observed(before));
    add(Settled::delivered);
    count("three");
    envelope.release_at = base::WallTime(1060s);
    count("three");
    const Sample after = member("outpost_queue_seconds", {"2"});
    EXPECT_EQ(observed(after), observed(before) + 2);
    EXPECT_DOUBLE_EQ(after.histogram.sum - before.histogram.sum, 92.0 + 32.0);
}

TEST_F(AttemptCountsTest, ATestIsAnAttemptThatWasNeverInTheQueue) {
    const auto before = observed(member("outpost_queue_seconds", {"3"}));
    test = true;
    add(Settled::delivered);
    count("four");
    EXPECT_EQ(recipients("four", "delivered"), 1);
    EXPECT_EQ(observed(member("outpost_queue_seconds", {"3"})), before);
}

}  // namespace
}  // namespace outpost::delivery
