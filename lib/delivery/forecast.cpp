#include "delivery/forecast.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

namespace outpost::delivery {
namespace {

using std::chrono::milliseconds;

constexpr double forever = std::numeric_limits<double>::infinity();
/// Recipients a second where nothing is known to bound it.
constexpr double at_once = 1e9;
constexpr double nothing = 1e-6;
constexpr int most_steps = 50'000;

/// One limit: what is left of it now, and how it comes back.
struct Bucket {
    double left = 0;
    double most = 0;
    double per_second = 0;  ///< of a rate
    double units = 1;       ///< of what it counts, a recipient
    std::optional<limit::CalendarUnit> renewed{};
    limit::TimeZone zone{};
    double renewal = forever;  ///< seconds from the start
};

class Server {
  public:
    Server(const Supply& supply, const std::vector<Demand>& demands, std::size_t index,
           base::WallTime start)
        : supply_(supply), start_(start) {
        Demand all;
        for (const Demand& demand : demands) {
            if (std::ranges::find(demand.by, index) == demand.by.end()) continue;
            all.messages += demand.messages;
            all.recipients += demand.recipients;
            all.octets += demand.octets;
        }
        add_buckets(all);
        begin(0);
    }

    [[nodiscard]] bool stopped() const { return !supply_.stopped.empty(); }
    [[nodiscard]] bool unknown() const {
        return !supply_.speed && !supply_.unlimited && buckets_.empty();
    }

    /// Recipients a second that it takes now.
    [[nodiscard]] double speed() const {
        if (stopped() || !open_) return 0;
        double speed = supply_.speed.value_or(at_once);
        for (const Bucket& bucket : buckets_)
            if (bucket.left <= nothing) speed = std::min(speed, bucket.per_second / bucket.units);
        return speed;
    }
    /// In how many seconds speed() changes, at the latest, if it takes so much until then.
    [[nodiscard]] double next_event(double at, double taking) const {
        double next = change_ - at;
        for (const Bucket& bucket : buckets_) {
            const double drain = taking * bucket.units - bucket.per_second;
            if (bucket.left > nothing && drain > nothing)
                next = std::min(next, bucket.left / drain);
            next = std::min(next, bucket.renewal - at);
        }
        return std::max(next, 0.0);
    }
    /// So many seconds, until `at`.
    void pass(double seconds, double at, double taking) {
        for (Bucket& bucket : buckets_) {
            const double change = (bucket.per_second - taking * bucket.units) * seconds;
            bucket.left = std::clamp(bucket.left + change, 0.0, bucket.most);
            if (bucket.left <= nothing) bucket.left = 0;
        }
        begin(at);
    }

  private:
    void add_buckets(const Demand& all) {
        const auto units = [&](limit::Unit unit) {
            if (unit == limit::Unit::recipients || all.recipients == 0) return 1.0;
            const std::uint64_t many = unit == limit::Unit::messages ? all.messages : all.octets;
            return std::max(static_cast<double>(many), 1.0) / static_cast<double>(all.recipients);
        };
        for (const limit::LimitsInUse& each : supply_.limits) add_buckets(each, units);
    }

    void add_buckets(const limit::LimitsInUse& in_use, const auto& units) {
        auto level = in_use.levels.begin();
        const auto left = [&] {
            if (level == in_use.levels.end()) return 0.0;
            const limit::Level& now = *level++;
            return now.most > now.used ? static_cast<double>(now.most - now.used) : 0.0;
        };
        for (const limit::Rate& rate : in_use.limits.rates) {
            const double most = static_cast<double>(rate.count);
            const double unused = left();
            buckets_.push_back(
                {.left = in_use.limits.smooth ? 0 : unused,
                 .most = most,
                 .per_second = most / std::chrono::duration<double>(rate.period).count(),
                 .units = units(rate.unit)});
        }
        const limit::Quota& quota = in_use.limits.quota;
        for (const limit::CalendarUnit unit : limit::all_calendar_units) {
            if (!quota.of(unit)) continue;
            buckets_.push_back({.left = left(),
                                .most = static_cast<double>(*quota.of(unit)),
                                .renewed = unit,
                                .zone = quota.zone});
            buckets_.back().renewal = end_of(buckets_.back(), start_);
        }
    }

    [[nodiscard]] base::WallTime wall(double at) const {
        return start_ + milliseconds(std::llround(at * 1000));
    }
    [[nodiscard]] double seconds(base::WallTime time) const {
        if (time == base::WallTime::max()) return forever;
        return std::chrono::duration<double>(time - start_).count();
    }
    [[nodiscard]] double end_of(const Bucket& bucket, base::WallTime time) const {
        return seconds(limit::period_at(bucket.zone, *bucket.renewed, time).end);
    }

    /// What the clock alone changes at this moment.
    void begin(double at) {
        const base::WallTime time = wall(at);
        for (Bucket& bucket : buckets_) {
            if (bucket.renewal - at > nothing) continue;
            bucket.left = bucket.most;
            bucket.renewal = end_of(bucket, time);
        }
        if (change_ - at > nothing && change_ < forever) return;
        base::WallTime opens = std::max(time, supply_.from);
        if (supply_.hours) opens = supply_.hours->next_open(opens);
        open_ = opens <= time;
        change_ = open_ ? (supply_.hours ? seconds(supply_.hours->closes(time)) : forever)
                        : seconds(opens);
    }

    const Supply& supply_;
    base::WallTime start_;
    std::vector<Bucket> buckets_;
    bool open_ = true;
    double change_ = 0;  ///< when it opens or closes
};

/// All supplies and what is left of each demand, from one event to the next.
class Simulation {
  public:
    Simulation(const std::vector<Supply>& supplies, const std::vector<Demand>& demands,
               base::WallTime now)
        : supplies_(supplies), demands_(demands), now_(now), outlooks_(demands.size()) {
        for (std::size_t i = 0; i < supplies.size(); ++i)
            servers_.emplace_back(supplies[i], demands, i, now);
        for (std::size_t i = 0; i < demands.size(); ++i) {
            pending_.push_back(static_cast<double>(demands[i].recipients));
            if (demands[i].recipients == 0) finish(i);
            if (auto why = hopeless(demands[i]); pending_[i] > 0 && !why.empty()) {
                outlooks_[i].why = std::move(why);
                pending_[i] = 0;
            }
        }
    }

    std::vector<Outlook> run() {
        for (int step = 0; step < most_steps && advance(); ++step) {
        }
        for (std::size_t i = 0; i < demands_.size(); ++i)
            if (pending_[i] > 0) outlooks_[i].why = "not within a year";
        return std::move(outlooks_);
    }

  private:
    /// Why nothing can be said of it; empty if something can.
    [[nodiscard]] std::string hopeless(const Demand& demand) const {
        std::string stopped;
        for (const std::size_t by : demand.by) {
            if (servers_[by].unknown() && !servers_[by].stopped())
                return "not known: no rate bounds it, and nothing was sent since the start";
            if (!servers_[by].stopped()) return {};
            stopped += (stopped.empty() ? "not " : ", ") + supplies_[by].stopped;
        }
        return stopped.empty() ? "not known" : stopped;
    }

    void finish(std::size_t demand) {
        pending_[demand] = 0;
        const auto at = now_ + milliseconds(std::llround(at_ * 1000));
        outlooks_[demand].at = std::max(at, demands_[demand].not_before);
    }

    [[nodiscard]] bool waits_for(std::size_t demand, std::size_t server) const {
        return pending_[demand] > 0 &&
               std::ranges::find(demands_[demand].by, server) != demands_[demand].by.end();
    }

    /// To the next event, `next` seconds away. False if there is none, or nothing is left.
    bool advance() {
        std::vector<double> flow(demands_.size());
        std::vector<double> taking(servers_.size());
        for (std::size_t s = 0; s < servers_.size(); ++s) {
            std::size_t sharing = 0;
            for (std::size_t d = 0; d < demands_.size(); ++d) sharing += waits_for(d, s) ? 1 : 0;
            if (sharing == 0) continue;
            taking[s] = servers_[s].speed();
            for (std::size_t d = 0; d < demands_.size(); ++d)
                if (waits_for(d, s)) flow[d] += taking[s] / static_cast<double>(sharing);
        }
        double next = forever;
        bool left = false;
        for (std::size_t d = 0; d < demands_.size(); ++d) {
            left = left || pending_[d] > 0;
            if (pending_[d] > 0 && flow[d] > 0) next = std::min(next, pending_[d] / flow[d]);
        }
        for (std::size_t s = 0; s < servers_.size(); ++s)
            next = std::min(next, servers_[s].next_event(at_, taking[s]));
        constexpr double horizon = std::chrono::duration<double>(longest_forecast).count();
        if (!left || at_ + next > horizon) return false;
        at_ += next;
        for (std::size_t s = 0; s < servers_.size(); ++s) servers_[s].pass(next, at_, taking[s]);
        for (std::size_t d = 0; d < demands_.size(); ++d) {
            if (pending_[d] <= 0) continue;
            pending_[d] -= flow[d] * next;
            if (pending_[d] <= nothing) finish(d);
        }
        return true;
    }

    const std::vector<Supply>& supplies_;
    const std::vector<Demand>& demands_;
    base::WallTime now_;
    std::vector<Outlook> outlooks_;
    std::vector<Server> servers_;
    std::vector<double> pending_;  ///< recipients
    double at_ = 0;                ///< seconds from now
};

}  // namespace

std::vector<Outlook> forecast(const std::vector<Supply>& supplies,
                              const std::vector<Demand>& demands, base::WallTime now) {
    return Simulation(supplies, demands, now).run();
}

Outlook later(Outlook a, Outlook b) {
    if (!a.at) return a;
    if (!b.at || *b.at > *a.at) return b;
    return a;
}

}  // namespace outpost::delivery
