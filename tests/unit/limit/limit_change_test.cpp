#include "limit/limit_change.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "limit/memory_store.hpp"
#include "limit/test_time.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;

/// Cannot read one of its counters.
class PartlyBrokenStore final : public LeaseStore {
  public:
    std::optional<std::string> restore(const std::string& key) override {
        if (key == broken) throw std::runtime_error("cannot read " + key);
        return sound_.restore(key);
    }
    void lease(LeaseRequest request, std::function<void(const LeaseAnswer&)> done) override {
        sound_.lease(std::move(request), std::move(done));
    }
    std::size_t run() { return sound_.run(); }

    std::string broken;

  private:
    MemoryStore sound_;
};

class LimitChangeTest : public testing::Test {
  protected:
    static Limits hourly(std::uint64_t count) {
        Limits limits;
        limits.rates = {{.count = count, .period = 1h}};
        return limits;
    }
    std::uint32_t send_all(Limiter::Id id) {
        std::uint32_t sent = 0;
        for (;;) {
            while (limiter.take(id, {}).recipients > 0) ++sent;
            if (store.run() == 0) return sent;
        }
    }

    FakeClock clock;
    PartlyBrokenStore store;
    Limiter limiter{store, clock, {}};
};

TEST_F(LimitChangeTest, PutsAllBackIfItIsNotKept) {
    const auto known = limiter.define("known", hourly(3));
    store.broken = "broken";
    try {
        LimitChange change(limiter);
        limiter.define("known", hourly(100));
        limiter.define("new", hourly(1));
        limiter.define("broken", hourly(1));
        change.keep();
        FAIL() << "the store fails";
    } catch (const std::runtime_error& e) {
        EXPECT_STREQ(e.what(), "cannot read broken");
    }
    EXPECT_EQ(limiter.limits(known), hourly(3));
    EXPECT_EQ(limiter.limits(limiter.find("new").value()), Limits());
    EXPECT_FALSE(limiter.find("broken"));
    EXPECT_EQ(send_all(known), 3U);
}

TEST_F(LimitChangeTest, LeavesWhatIsKept) {
    const auto known = limiter.define("known", hourly(3));
    {
        LimitChange change(limiter);
        limiter.define("known", hourly(5));
        limiter.define("new", hourly(1));
        change.keep();
    }
    EXPECT_EQ(send_all(known), 5U);
    EXPECT_EQ(send_all(limiter.find("new").value()), 1U);
}

}  // namespace
}  // namespace outpost::limit
