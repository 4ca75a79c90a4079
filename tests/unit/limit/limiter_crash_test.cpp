// kill -9 at random moments: the promises hold over all lives of the process together, and a crash
// costs no more than an allowance.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>

#include "limit/limiter.hpp"
#include "limit/memory_store.hpp"
#include "limit/test_time.hpp"
#include "limit/window_oracle.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

struct Seed {
    std::uint64_t number;
    bool reboots;  ///< the machine as well: only the wall clock goes on
};

/// The machine's clocks: after a reboot the one that cannot be set begins anew.
class MachineClock final : public base::Clock {
  public:
    [[nodiscard]] base::WallTime wall() const override { return clock_.wall(); }
    [[nodiscard]] base::MonoTime mono() const override { return clock_.mono() - boot_; }
    [[nodiscard]] base::MonoTime true_time() const { return clock_.mono(); }
    void advance(milliseconds time) { clock_.advance(time); }
    void reboot() { boot_ = clock_.mono().time_since_epoch(); }
    [[nodiscard]] std::string boot_id() const { return std::to_string(boot_.count()); }

  private:
    FakeClock clock_;
    std::chrono::nanoseconds boot_{0};
};

class Lives {
  public:
    explicit Lives(Seed seed) : random_(seed.number), seed_(seed) {
        limits_.rates = {{50, 7s, Unit::recipients},
                         {2'000'000, 1min, Unit::octets},
                         {300, 5min, Unit::messages}};
        limits_.quota.hourly = 1500;
        limits_.smooth = between(0, 3) == 0;
        start();
    }

    void live() {
        const auto steps = between(1, 400);
        for (std::int64_t i = 0; i < steps; ++i) step();
        crash();
    }
    void check() {
        for (const Rate& rate : limits_.rates) {
            EXPECT_LE(oracle_.worst(rate), rate.count)
                << rate.text() << ", seed " << seed_.number << (seed_.reboots ? " reboots" : "");
        }
        for (const auto& [hour, used] : by_hour_) EXPECT_LE(used, 1500U) << "seed " << seed_.number;
    }
    [[nodiscard]] std::size_t seen() const { return oracle_.size(); }

  private:
    struct Flight {
        base::MonoTime lands;
        base::MonoTime seen;
        base::WallTime seen_wall;
        Usage usage;
    };

    std::int64_t between(std::int64_t least, std::int64_t most) {
        return std::uniform_int_distribution(least, most)(random_);
    }
    void start() {
        limiter_ = std::make_unique<Limiter>(store_, clock_, Limiter::Events{}, clock_.boot_id());
        id_ = limiter_->define("upstream/a", limits_);
    }
    void step() {
        if (between(0, 2) == 0) store_.run();
        const Ask ask{.recipients = static_cast<std::uint32_t>(between(1, 5)),
                      .octets = static_cast<std::uint64_t>(between(0, 20'000)),
                      .divisible = between(0, 1) == 0};
        const Answer answer = limiter_->take(id_, ask);
        if (answer.recipients > 0) {
            const milliseconds takes(between(0, 2000));
            const milliseconds until_seen(between(0, takes.count()));
            flying_.push_back({clock_.true_time() + takes,
                               clock_.true_time() + until_seen,
                               clock_.wall() + until_seen,
                               {answer.recipients, 1, ask.octets}});
        }
        if (between(0, 1) == 0) clock_.advance(milliseconds(between(0, 200)));
        const auto until = answer.wait.until;
        if (between(0, 3) == 0 && answer.wait.what != Wait::For::nothing &&
            until < clock_.wall() + 1h && until > clock_.wall()) {
            clock_.advance(until - clock_.wall());
        }
        std::erase_if(flying_, [this](const Flight& flight) {
            if (flight.lands > clock_.true_time()) return false;
            limiter_->settle(id_, flight.usage, flight.usage);
            see(flight);
            return true;
        });
    }
    void see(const Flight& flight) {
        oracle_.saw(flight.seen, flight.usage);
        by_hour_[std::chrono::floor<std::chrono::hours>(flight.seen_wall)] +=
            flight.usage.recipients;
    }
    void crash() {
        const auto hour = std::chrono::floor<std::chrono::hours>(clock_.wall());
        const std::uint64_t before = quota_used();
        // What was on its way has been seen by now, or never is.
        for (const Flight& flight : flying_) {
            if (flight.seen <= clock_.true_time()) see(flight);
        }
        flying_.clear();
        store_.drop();
        limiter_.reset();
        if (between(0, 2) == 0) clock_.advance(milliseconds(between(0, 10'000)));
        if (seed_.reboots) clock_.reboot();
        start();
        if (std::chrono::floor<std::chrono::hours>(clock_.wall()) != hour) return;
        EXPECT_GE(quota_used(), before) << "a permit was forgotten, seed " << seed_.number;
        EXPECT_LE(quota_used(), before + 8)
            << "more than a block, 8: the rate lets 50 in 7 s through";
    }
    std::uint64_t quota_used() {
        for (const Level& level : limiter_->levels(id_)) {
            if (level.resets) return level.used;
        }
        return 0;
    }

    std::mt19937_64 random_;
    Seed seed_;
    MachineClock clock_;
    MemoryStore store_;
    Limits limits_;
    std::unique_ptr<Limiter> limiter_;
    Limiter::Id id_{};
    std::deque<Flight> flying_;
    WindowOracle oracle_;
    std::map<base::WallTime, std::uint64_t> by_hour_;
};

TEST(LimiterCrash, KeepsEveryPromiseOverAllLives) {
    std::size_t seen = 0;
    for (std::uint64_t number = 1; number <= 40; ++number) {
        Lives lives({number, number % 2 == 0});
        for (int life = 0; life < 25; ++life) lives.live();
        lives.check();
        seen += lives.seen();
    }
    EXPECT_GT(seen, 20'000U);
}

}  // namespace
}  // namespace outpost::limit
