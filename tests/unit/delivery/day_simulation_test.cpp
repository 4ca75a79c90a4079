#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "dispatcher_fixture.hpp"

namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;

/// A day of mixed traffic through a limited upstream, in seconds: five accounts of which two alone
/// offer more than it takes. What went out is checked second by second and each account's share
/// printed.
class DaySimulation : public DispatcherTest {
  protected:
    static constexpr std::uint64_t per_hour = 1200;

    struct Tally {
        std::size_t offered = 0;
        std::size_t sent = 0;
        std::chrono::milliseconds longest{};
        std::chrono::milliseconds total{};
        std::deque<base::MonoTime> hour;  ///< sent within the last one
        std::size_t worst_hour = 0;
    };
    struct Offer {
        std::string account;
        std::uint8_t priority;
        double per_second;
        int burst;  ///< messages that come together
    };

    DaySimulation() {
        config.spool.delay_notice = {};
        auto& limits = config.upstreams["office"].limits;
        limits.rates = {{.count = per_hour, .period = 1h}};
        config.upstreams["office"].reserve = config::Reserve{.priority = 1, .share = 0.05};
        config.accounts.clear();
        account("campaign", 3, {}, 1);
        account("newsletter", 3, {}, 2);
        account("receipts", 2, {}, 1);
        account("alarms", 1, {}, 1);
        account("metered", 3, limit::Rate{.count = 60, .period = 10min}, 1);
        account("capped", 3, {}, 1).limits.quota.daily = 500;
        config.accounts["capped"].when_exceeded = config::WhenExceeded::hold;
    }
    config::Account& account(const std::string& name, std::uint8_t priority,
                             std::optional<limit::Rate> rate, std::uint32_t weight) {
        add_account(name, "office");
        config::Account& made = config.accounts[name];
        made.priority = priority;
        made.weight = weight;
        if (rate) made.limits.rates = {*rate};
        return made;
    }

    void offer(const Offer& what) {
        std::vector<base::MessageId> batch;
        for (int i = 0; i < what.burst; ++i) {
            auto message = envelope({"a@example.org"}, what.account);
            message.priority = what.priority;
            batch.push_back(spool.keep(std::move(message)));
        }
        tallies[what.account].offered += batch.size();
        spool.announce(batch);
        run();
    }
    void offer_for(std::chrono::seconds time, const std::vector<Offer>& offers) {
        std::uniform_real_distribution<> chance;
        for (const Offer& what : offers)
            if (chance(random_) * what.burst < what.per_second * static_cast<double>(time.count()))
                offer(what);
    }
    void count_sent(base::MessageId id) {
        const auto& envelope = spool.messages.at(id).envelope;
        Tally& tally = tallies[envelope.account];
        ++tally.sent;
        const auto waited = clock.wall() - envelope.received;
        tally.longest = std::max(tally.longest, waited);
        tally.total += waited;
        note_hour(tally);
        note_hour(all);
    }
    void note_hour(Tally& tally) const {
        tally.hour.push_back(clock.mono());
        while (clock.mono() - tally.hour.front() > 1h) tally.hour.pop_front();
        tally.worst_hour = std::max(tally.worst_hour, tally.hour.size());
    }
    void print() {
        std::cout << fmt::format("{:<12}{:>9}{:>9}{:>14}{:>14}{:>12}\n", "account", "offered",
                                 "sent", "mean wait s", "longest s", "worst hour");
        for (const auto& [name, tally] : tallies) {
            const auto mean = tally.sent == 0 ? 0.0
                                              : static_cast<double>(tally.total.count()) / 1000 /
                                                    static_cast<double>(tally.sent);
            std::cout << fmt::format(
                "{:<12}{:>9}{:>9}{:>14.1f}{:>14.1f}{:>12}\n", name, tally.offered, tally.sent, mean,
                static_cast<double>(tally.longest.count()) / 1000, tally.worst_hour);
        }
    }

    std::map<std::string, Tally> tallies;
    Tally all;

  private:
    std::mt19937_64 random_{20261122};
};

TEST_F(DaySimulation, EveryAccountGetsWhatItShould) {
    const std::vector<Offer> offers{
        {"campaign", 3, 0.3, 500}, {"newsletter", 3, 0.4, 1000}, {"receipts", 2, 0.05, 1},
        {"alarms", 1, 0.002, 1},   {"metered", 3, 0.15, 1},      {"capped", 3, 0.02, 20},
    };
    office().answer = [this](base::MessageId id, const std::string&) {
        count_sent(id);
        return delivered();
    };
    start();
    // Bulk is queued before the day begins, so that something always waits.
    for (int i = 0; i < 4; ++i) {
        offer(offers[0]);
        offer(offers[1]);
    }
    constexpr auto step = 10s;
    for (auto left = 24h / step; left > 0; --left) {
        offer_for(step, offers);
        advance(step);
    }
    print();

    std::size_t sent = 0;
    for (const auto& [name, tally] : tallies) sent += tally.sent;
    EXPECT_LE(all.worst_hour, per_hour) << "never over the upstream's rate";
    EXPECT_GE(sent, per_hour * 24 * 93 / 100) << "and it is used, but for the reserve";
    EXPECT_LE(tallies["metered"].worst_hour, 6 * 60U) << "nor over an account's";
    // The clock began at 08:00 UTC, so a day's quota was used twice.
    EXPECT_LE(tallies["capped"].sent, 1000U);
    EXPECT_EQ(tallies["alarms"].sent, tallies["alarms"].offered);
    EXPECT_EQ(tallies["alarms"].longest.count(), 0) << "they have a reserve";
    EXPECT_LE(tallies["receipts"].longest, 1h + 1min) << "they take the first slots of each hour";
    const auto campaign = static_cast<double>(tallies["campaign"].sent);
    const auto newsletter = static_cast<double>(tallies["newsletter"].sent);
    EXPECT_NEAR(newsletter / campaign, 2, 0.1) << "twice the weight";
}

}  // namespace
}  // namespace outpost::delivery::testing
