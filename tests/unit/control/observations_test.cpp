#include "control/observations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace outpost::control {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

/// The samples of one family by their labels.
std::map<std::vector<std::string>, double> samples(const Observations& seen,
                                                   std::string_view name) {
    std::map<std::vector<std::string>, double> all;
    for (const auto& family : families(seen)) {
        if (family.name != name) continue;
        for (const auto& sample : family.samples) {
            EXPECT_EQ(sample.labels.size(), family.label_names.size());
            all[sample.labels] = sample.value;
        }
    }
    return all;
}

TEST(Observations, ShowTheQueueByUpstreamPriorityAndState) {
    Observations seen;
    seen.now = base::WallTime(100s);
    seen.oldest = base::WallTime(40s);
    seen.queue = {{.way = "bulk",
                   .account = "",
                   .priority = 2,
                   .ready = 3,
                   .limited = 2,
                   .waiting = 3,
                   .in_flight = 1}};
    EXPECT_THAT(samples(seen, "outpost_queue_messages"),
                UnorderedElementsAre(Pair(ElementsAre("bulk", "2", "ready"), 5),
                                     Pair(ElementsAre("bulk", "2", "waiting"), 3),
                                     Pair(ElementsAre("bulk", "2", "sending"), 1)));
    EXPECT_EQ(samples(seen, "outpost_queue_oldest_seconds").at({}), 60);
    seen.oldest = std::nullopt;
    EXPECT_EQ(samples(seen, "outpost_queue_oldest_seconds").at({}), 0);
}

TEST(Observations, AnUpstreamIsInOneState) {
    Observations seen;
    seen.upstreams.emplace_back();
    seen.upstreams[0].name = "office";
    seen.upstreams[0].in_flight = 4;
    seen.upstreams[0].concurrency = 9;
    for (const char* const state :
         {"open", "throttled", "unreachable", "suspended", "paused", "inactive"}) {
        seen.upstreams[0].state = state;
        const auto all = samples(seen, "outpost_upstream_state");
        EXPECT_EQ(all.size(), 6U);
        EXPECT_EQ(std::ranges::count(all, 1.0, [](const auto& each) { return each.second; }), 1);
        EXPECT_EQ(all.at({"office", state}), 1);
    }
    EXPECT_EQ(samples(seen, "outpost_upstream_sending").at({"office"}), 4);
    EXPECT_EQ(samples(seen, "outpost_upstream_concurrency").at({"office"}), 9);
}

TEST(Observations, LimitsAreThoseOfTheirOwner) {
    Observations seen;
    seen.limits = {
        {"upstream/ses/eu",
         {{.limit = "14/s", .used = 4, .most = 14, .resets = {}},
          {.limit = "daily 100", .used = 120, .most = 100, .resets = {}}}},
        {"account/a/b/rate", {{.limit = "20/s", .used = 1, .most = 20, .resets = {}}}},
        {"account/a/b/submit", {{.limit = "20/s", .used = 2, .most = 20, .resets = {}}}}};
    EXPECT_THAT(samples(seen, "outpost_limit_used"),
                UnorderedElementsAre(Pair(ElementsAre("upstream", "ses/eu", "14/s"), 4),
                                     Pair(ElementsAre("upstream", "ses/eu", "daily 100"), 120),
                                     Pair(ElementsAre("account", "a/b", "20/s"), 1),
                                     Pair(ElementsAre("account", "a/b", "submit_rate 20/s"), 2)));
    const auto left = samples(seen, "outpost_limit_left");
    EXPECT_EQ(left.at({"upstream", "ses/eu", "14/s"}), 10);
    EXPECT_EQ(left.at({"upstream", "ses/eu", "daily 100"}), 0) << "lowered below its use";
}

TEST(Observations, WhatIsNotKnownIsNotShown) {
    Observations seen;
    EXPECT_THAT(samples(seen, "outpost_spool_free_bytes"), IsEmpty());
    EXPECT_THAT(samples(seen, "outpost_certificate_expiry_timestamp_seconds"), IsEmpty());
    seen.disk.free_octets = 7;
    seen.certificates = {{"/tls/a.pem", std::chrono::sys_seconds(1'800'000'000s)}};
    EXPECT_EQ(samples(seen, "outpost_spool_free_bytes").at({}), 7);
    EXPECT_EQ(samples(seen, "outpost_certificate_expiry_timestamp_seconds").at({"/tls/a.pem"}),
              1'800'000'000);
}

TEST(Observations, TheSpoolIsShownAsItIs) {
    Observations seen;
    seen.accepting = false;
    seen.disk = {.messages = 1, .large_files = 2, .segments = 3, .segment_octets = 4};
    EXPECT_EQ(samples(seen, "outpost_spool_accepting").at({}), 0);
    EXPECT_EQ(samples(seen, "outpost_spool_messages").at({}), 1);
    EXPECT_EQ(samples(seen, "outpost_spool_large_files").at({}), 2);
    EXPECT_EQ(samples(seen, "outpost_spool_segments").at({}), 3);
    EXPECT_EQ(samples(seen, "outpost_spool_bytes").at({}), 4);
}

}  // namespace
}  // namespace outpost::control
