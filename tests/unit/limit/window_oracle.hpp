#pragma once

#include <algorithm>
#include <cstdint>
#include <queue>
#include <vector>

#include "base/clock.hpp"
#include "limit/rate.hpp"
#include "limit/usage.hpp"

namespace outpost::limit {

/// What an observer at the other end saw, by brute force.
class WindowOracle {
  public:
    void saw(base::MonoTime time, const Usage& usage) { seen_.push_back({time, usage}); }
    [[nodiscard]] std::size_t size() const { return seen_.size(); }

    /// The most that any window of the rate's period held, both its ends included.
    [[nodiscard]] std::uint64_t worst(const Rate& rate) {
        std::ranges::sort(seen_, {}, &Sight::time);
        std::uint64_t sum = 0;
        std::uint64_t most = 0;
        std::size_t first = 0;
        for (const Sight& last : seen_) {
            sum += last.usage[rate.unit];
            for (; last.time - seen_[first].time > rate.period; ++first) {
                sum -= seen_[first].usage[rate.unit];
            }
            most = std::max(most, sum);
        }
        return most;
    }

  private:
    struct Sight {
        base::MonoTime time;
        Usage usage;
    };
    std::vector<Sight> seen_;
};

/// What the window that ends now holds, with all that is still to be seen: for rates that change.
class RunningOracle {
  public:
    explicit RunningOracle(const Rate& rate) : rate_(rate) {}

    void will_see(base::MonoTime time, const Usage& usage) {
        seen_.push({time, usage[rate_.unit]});
        sum_ += usage[rate_.unit];
    }
    [[nodiscard]] std::uint64_t held(base::MonoTime now) {
        for (; !seen_.empty() && now - seen_.top().first > rate_.period; seen_.pop()) {
            sum_ -= seen_.top().second;
        }
        return sum_;
    }
    [[nodiscard]] const Rate& rate() const { return rate_; }

  private:
    using Sight = std::pair<base::MonoTime, std::uint64_t>;
    Rate rate_;
    std::priority_queue<Sight, std::vector<Sight>, std::greater<>> seen_;
    std::uint64_t sum_ = 0;
};

}  // namespace outpost::limit
