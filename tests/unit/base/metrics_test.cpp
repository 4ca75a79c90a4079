#include "base/metrics.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <thread>

namespace outpost::base::metrics {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

const Snapshot* find(const std::vector<Snapshot>& all, std::string_view name) {
    const auto found = std::ranges::find(all, name, &Snapshot::name);
    return found == all.end() ? nullptr : &*found;
}

TEST(Metrics, AFamilyIsInTheSnapshotAsLongAsItLives) {
    {
        Family<Counter> family("test_mails_total", "Mails.", {"colour", "size"});
        family.with({"red", "big"}).add(2);
        family.with({"blue", "big"}).add();
        family.with({"red", "big"}).add(3);
        const auto all = snapshot();
        const Snapshot* const mine = find(all, "test_mails_total");
        ASSERT_NE(mine, nullptr);
        EXPECT_EQ(mine->kind, Kind::counter);
        EXPECT_THAT(mine->label_names, ElementsAre("colour", "size"));
        ASSERT_EQ(mine->samples.size(), 2U);
        EXPECT_THAT(mine->samples[0].labels, ElementsAre("blue", "big"));
        EXPECT_THAT(mine->samples[0].value, DoubleEq(1));
        EXPECT_THAT(mine->samples[1].value, DoubleEq(5));
    }
    EXPECT_EQ(find(snapshot(), "test_mails_total"), nullptr);
}

TEST(Metrics, AMemberStaysWhereItIs) {
    Family<Gauge> family("test_gauge", "A gauge.", {"n"});
    Gauge& first = family.with({"0"});
    for (int i = 1; i < 1000; ++i) family.with({std::to_string(i)}).set(i);
    EXPECT_EQ(&first, &family.with({"0"}));
    first.add(5);
    first.add(-7);
    EXPECT_EQ(family.with({"0"}).value(), -2);
}

TEST(Metrics, AHistogramPutsAValueIntoTheFirstRangeThatHoldsIt) {
    static constexpr double bounds[] = {1, 10};
    Histogram histogram(bounds);
    for (const double value : {0.5, 1.0, 1.5, 10.0, 11.0}) histogram.observe(value);
    const auto value = histogram.value();
    EXPECT_THAT(value.counts, ElementsAre(2, 2, 1));
    EXPECT_THAT(value.sum, DoubleEq(24.0));
}

TEST(Metrics, TheBoundsAscend) {
    for (const auto& bounds : {step_seconds, wait_seconds, batch_sizes}) {
        EXPECT_GT(bounds.size(), 5U);
        EXPECT_TRUE(std::ranges::is_sorted(bounds, std::ranges::less_equal{}));
    }
}

TEST(Metrics, AnEnumeratedFamilyHasAllMembersFromTheStart) {
    Enumerated<Counter, 2> colours("test_colours_total", "Colours.", "colour", {"red", "blue"});
    colours[1].add(4);
    const auto all = snapshot();
    const Snapshot* const mine = find(all, "test_colours_total");
    ASSERT_NE(mine, nullptr);
    ASSERT_EQ(mine->samples.size(), 2U);
    EXPECT_THAT(mine->samples[0].labels, ElementsAre("blue"));
    EXPECT_THAT(mine->samples[0].value, DoubleEq(4));
    EXPECT_THAT(mine->samples[1].labels, ElementsAre("red"));
    EXPECT_THAT(mine->samples[1].value, DoubleEq(0));
}

TEST(Metrics, ASingleFamilyHasOneMemberWithoutLabels) {
    Single<Gauge> level("test_level", "Level.");
    level->set(7);
    const auto all = snapshot();
    const Snapshot* const mine = find(all, "test_level");
    ASSERT_NE(mine, nullptr);
    ASSERT_EQ(mine->samples.size(), 1U);
    EXPECT_TRUE(mine->samples[0].labels.empty());
    EXPECT_THAT(mine->samples[0].value, DoubleEq(7));
}

TEST(Metrics, NothingIsLostBetweenThreads) {
    Family<Counter> counters("test_threads_total", "Threads.", {"of"});
    Histogram histogram(batch_sizes);
    constexpr int rounds = 10'000;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < rounds; ++i) {
                counters.with({i % 2 == 0 ? "even" : "odd"}).add();
                histogram.observe(3.0);
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(counters.with({"even"}).value(), 2U * rounds);
    EXPECT_EQ(counters.with({"odd"}).value(), 2U * rounds);
    EXPECT_EQ(histogram.value().counts[2], 4U * rounds);
    EXPECT_THAT(histogram.value().sum, DoubleEq(12.0 * rounds));
}

}  // namespace
}  // namespace outpost::base::metrics
