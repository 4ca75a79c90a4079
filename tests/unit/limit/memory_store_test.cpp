#include "limit/memory_store.hpp"

#include <gtest/gtest.h>

namespace outpost::limit {
namespace {

struct Asked {
    explicit Asked(MemoryStore& store, std::string state = "state") {
        LeaseRequest request;
        request.key = "a";
        request.state = std::move(state);
        request.want = {7, 0, 0};
        store.lease(std::move(request),
                    [this](const LeaseAnswer& answer) { answers.push_back(answer); });
    }
    std::vector<LeaseAnswer> answers;
};

TEST(MemoryStore, KeepsWhatItHasAnswered) {
    MemoryStore store;
    EXPECT_FALSE(store.restore("a"));
    const Asked first(store, "one");
    const Asked second(store, "two");
    EXPECT_FALSE(store.restore("a"));
    EXPECT_TRUE(first.answers.empty());
    EXPECT_EQ(store.run(), 2U);
    EXPECT_EQ(store.run(), 0U);
    EXPECT_EQ(store.restore("a"), "two");
    ASSERT_EQ(second.answers.size(), 1U);
    EXPECT_EQ(second.answers[0].allowance, (Usage{7, 0, 0}));
    EXPECT_EQ(second.answers[0].error, "");
}

TEST(MemoryStore, FailsAndForgetsOnDemand) {
    MemoryStore store;
    const Asked lost(store);
    store.drop();
    EXPECT_EQ(store.run(), 0U);
    store.fail("disk full");
    const Asked failed(store);
    store.run();
    ASSERT_EQ(failed.answers.size(), 1U);
    EXPECT_EQ(failed.answers[0].error, "disk full");
    EXPECT_EQ(failed.answers[0].allowance, Usage{});
    EXPECT_TRUE(lost.answers.empty());
    EXPECT_FALSE(store.restore("a"));
    store.fail("");
    const Asked kept(store);
    store.run();
    EXPECT_TRUE(store.restore("a"));
}

}  // namespace
}  // namespace outpost::limit
