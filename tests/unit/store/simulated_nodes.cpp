#include "simulated_nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace outpost::store {

namespace {

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t time_limit = 1000;
constexpr std::int64_t never = INT64_MAX;
constexpr std::int64_t epoch = 500'000 * hour;  ///< of the wall clocks, in ms since 1970
constexpr std::int64_t up_since = 1000 * hour;

}  // namespace

/// A connection with the network's faults.
class SimulatedNodes::Channel final : public RedisChannel {
  public:
    Channel(SimulatedNodes& world, Node& node)
        : RedisChannel("simulated"), w_(world), node_(node), run_(world.redis_.run()) {}

    std::expected<std::vector<RedisReply>, std::string> ask(Commands commands) override {
        std::vector<RedisReply> replies;
        for (const auto& command : commands) {
            w_.others_act();
            if (w_.redis_.run() != run_) return std::unexpected("reset by peer");
            if (node_.dying) {
                w_.late_.push_back({w_.now_ + w_.below(time_limit), command});
                return std::unexpected("killed");
            }
            if (broken()) return late(command, "no answer in time");
            replies.push_back(w_.redis_.execute(command, w_.server_time()));
        }
        w_.others_act();
        if (node_.lossy && w_.chance(4)) {
            w_.pass(w_.below(time_limit));
            return std::unexpected("an answer was lost");
        }
        w_.pass(w_.below(3));
        return replies;
    }

  private:
    bool broken() { return w_.redis_down_ || node_.cut_off || (node_.lossy && w_.chance(6)); }
    /// Nobody knows whether and when it arrives.
    std::unexpected<std::string> late(const std::vector<std::string>& command, const char* why) {
        if (w_.chance(2)) w_.late_.push_back({w_.now_ + w_.below(3 * time_limit), command});
        w_.pass(w_.chance(2) ? time_limit : w_.below(time_limit));
        return std::unexpected(std::string(why));
    }

    SimulatedNodes& w_;
    Node& node_;
    int run_;
};

base::WallTime SimulatedNodes::Clock::wall() const {
    return base::WallTime(std::chrono::milliseconds(epoch + nodes.now_));
}
base::MonoTime SimulatedNodes::Clock::mono() const {
    return base::MonoTime(std::chrono::milliseconds(up_since + nodes.now_));
}

SimulatedNodes::SimulatedNodes(unsigned seed) : random_(seed) {
    using std::chrono::milliseconds;
    now_ = below(2) * (hour - 20'000) + below(10'000);
    server_ahead_ = epoch + below(7) - 3;
    const auto rate = [&](std::uint64_t count, std::int64_t period) {
        limits_.rates.push_back({count, milliseconds(period), limit::Unit::recipients});
    };
    switch (below(5)) {
        case 0: rate(20, 2000); break;
        case 1: rate(30, 10'000); break;
        case 2: rate(60, 5 * minute); break;
        case 3: limits_.quota.hourly = 100; break;
        default: rate(30, 10'000); limits_.quota.hourly = 200;
    }
    constexpr int one_in[] = {6, 12, 40};
    harm_one_in_ = one_in[below(std::ssize(one_in))];
    others_one_in_ = chance(2) ? 2 : 6;
    leaps_ = chance(4);
    greedy_ = !chance(3);
    static const std::vector<double> shares[] = {
        {0.5, 0.5}, {0.5, 0.5}, {0.4, 0.35, 0.25}, {0.3, 0.3}, {0.7, 0.2}};
    for (const double share : shares[below(std::ssize(shares))]) {
        nodes_.push_back(std::make_unique<Node>());
        nodes_.back()->name = std::string(1, static_cast<char>('a' + nodes_.size() - 1));
        nodes_.back()->share = share;
        if (!chance(4)) start(*nodes_.back());
    }
}

SimulatedNodes::~SimulatedNodes() = default;

std::int64_t SimulatedNodes::below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(bound));
}
bool SimulatedNodes::chance(int in) {
    return below(in) == 0;
}
void SimulatedNodes::note(const std::string& what) {
    log_ += fmt::format("{:>9} {}\n", now_, what);
}

// Time.

void SimulatedNodes::pass(std::int64_t time) {
    now_ += time;
    settle();
    std::vector<Late> due;
    std::erase_if(late_, [&](Late& each) {
        if (each.at > now_) return false;
        due.push_back(std::move(each));
        return true;
    });
    for (const Late& each : due) {
        if (redis_down_) continue;
        note("arrives late: " + each.command.front());
        static_cast<void>(redis_.execute(each.command, server_time()));
    }
}

void SimulatedNodes::pass_some() {
    if (leaps_ && chance(30)) return pass(chance(3) ? day + below(hour) : below(2 * hour));
    const std::int64_t bounds[] = {5,    50,           500,          1500,           5000,
                                   5000, period() / 8, period() / 2, period() + 5000};
    pass(below(bounds[below(std::ssize(bounds))]));
}

void SimulatedNodes::settle() {
    for (Mail& mail : mail_) {
        if (mail.sent || mail.sent_at > now_) continue;
        mail.sent = true;
        sent_.push_back({mail.sent_at, mail.node, mail.counter, mail.amount});
    }
    std::erase_if(mail_, [&](const Mail& mail) {
        if (mail.settled_at > now_) return false;
        Tally& tally = mail.node->tallies[mail.counter];
        (mail.sent ? tally.used : tally.returned) += mail.amount;
        return true;
    });
}

// Nodes.

void SimulatedNodes::start(Node& node) {
    note("start " + node.name);
    RedisOptions options;
    options.node = node.name;
    options.share = node.share;
    options.time_limit = std::chrono::milliseconds(time_limit);
    node.running = std::make_unique<RedisNode>(
        options,
        NodeMemory(node.memory,
                   [&node](const std::string& text) {
                       node.memory = text;
                       return std::string();
                   }),
        [this, &node](const RedisAddress&, std::chrono::milliseconds)
            -> std::expected<std::unique_ptr<RedisChannel>, std::string> {
            if (redis_down_ || node.cut_off) return std::unexpected("refused");
            return std::make_unique<Channel>(*this, node);
        },
        clock_,
        [this](bool, const std::string& text) {
            replaced_ = replaced_ || text.contains("taken over");
        });
    ++node.process;
    node.tallies = {};
}

void SimulatedNodes::crash(Node& node) {
    note("crash " + node.name);
    settle();
    std::erase_if(mail_, [&](const Mail& mail) { return mail.node == &node; });
    node.running.reset();
}

/// Its last call is still on its way when the next process of its name is there.
void SimulatedNodes::call_and_die(Node& node) {
    node.busy = node.dying = true;
    ask(node, static_cast<std::size_t>(below(counters)), 1 + static_cast<std::uint64_t>(below(8)));
    node.busy = node.dying = false;
}

void SimulatedNodes::leave(Node& node) {
    note("leave " + node.name);
    node.busy = node.closing = true;
    for (std::size_t i = 0; i < counters; ++i) ask(node, i, 0);
    node.running->leave();
    node.busy = node.closing = false;
    crash(node);
}

/// Asks, and while the answer is on its way goes on with what it has.
void SimulatedNodes::ask(Node& node, std::size_t counter, std::uint64_t want) {
    Tally& tally = node.tallies[counter];
    const Tally asked = tally;
    if (want > 0) want = std::max(want, asked.granted - asked.taken);
    limit::LeaseRequest request;
    request.key = fmt::format("upstream/{}", counter);
    request.limits = limits_;
    request.taken.recipients = asked.taken;
    request.used.recipients = asked.used;
    request.returned.recipients = asked.returned;
    request.want.recipients = want;
    request.held_back = chance(10) ? 0.1 : 0;
    RedisNode::Pending pending{std::move(request), [&](const limit::LeaseAnswer& answer) {
                                   const auto more = std::min(answer.allowance.recipients, want);
                                   tally.granted = std::max(tally.granted, asked.taken + more);
                               }};
    node.running->handle(std::span(&pending, 1));
}

void SimulatedNodes::take(Node& node, std::size_t counter, std::uint64_t amount, bool at_once) {
    Tally& tally = node.tallies[counter];
    amount = std::min(amount, tally.granted - tally.taken);
    if (amount == 0) return;
    tally.taken += amount;
    Mail mail{&node, node.process, counter, amount, now_, now_};
    if (!at_once) {
        mail.sent_at = chance(8) ? never : now_ + below(chance(4) ? minute : 800);
        mail.settled_at = (mail.sent_at == never ? now_ : mail.sent_at) + below(500);
    }
    mail_.push_back(mail);
    settle();
}

void SimulatedNodes::act(Node& node) {
    if (!node.running || node.closing) return;
    const auto counter = static_cast<std::size_t>(below(counters));
    if (chance(6)) take(node, counter, static_cast<std::uint64_t>(1 + below(60)), chance(2));
    const bool much = greedy_ ? !chance(6) : chance(4);
    if (node.busy) return;
    node.busy = true;
    if (chance(4)) {
        node.running->tick();
    } else {
        ask(node, counter, static_cast<std::uint64_t>(below(much ? 100 : 8)));
        if (much || !chance(3)) take(node, counter, 100, !chance(4));
    }
    node.busy = false;
}

/// In the midst of what a node does, the others go on.
void SimulatedNodes::others_act() {
    if (calm_ || !chance(others_one_in_)) return;
    pass(below(chance(5) ? time_limit / 2 : 5));
    act(*nodes_[static_cast<std::size_t>(below(std::ssize(nodes_)))]);
    if (chance(2 * harm_one_in_)) harm_redis();
}

// What happens.

void SimulatedNodes::harm_redis() {
    switch (below(8)) {
        case 0:
        case 1: note("flush all"); return redis_.flush_all();
        case 2:
        case 3: {
            const auto n = static_cast<unsigned>(below(100));
            note("delete some");
            return redis_.delete_some(n);
        }
        case 4: {
            const bool old = chance(2);
            note(old ? "restart with old data" : "restart without data");
            late_.clear();
            return redis_.restart(old);
        }
        case 5: return redis_.save();
        case 6: redis_down_ = true; return note("redis down");
        default: redis_down_ = false; note("redis up");
    }
}

void SimulatedNodes::harm_node(Node& node) {
    if (!node.running) return start(node);
    switch (below(8)) {
        case 0:
        case 1:
            if (node.busy) return;
            if (chance(3)) {
                leave(node);
            } else {
                if (chance(2)) call_and_die(node);
                crash(node);
            }
            // Often it is back at once, and finds the network as it should be.
            if (chance(2)) node.cut_off = node.lossy = false;
            if (!chance(3)) start(node);
            return;
        case 2:
        case 3: node.cut_off = true; return note("cut off " + node.name);
        case 4: node.lossy = !node.lossy; return note("lossy " + node.name);
        default: node.cut_off = false; note("mend " + node.name);
    }
}

void SimulatedNodes::step() {
    Node& node = *nodes_[static_cast<std::size_t>(below(std::ssize(nodes_)))];
    if (chance(harm_one_in_)) return chance(2) ? harm_redis() : harm_node(node);
    switch (below(6)) {
        case 0:
        case 1: return pass_some();
        case 2:  // as it should be, for a while
            for (std::int64_t i = 1 + below(12); i > 0; --i) {
                pass(1 + below(500));
                for (const auto& each : nodes_) act(*each);
            }
            return;
        default: act(node);
    }
}

void SimulatedNodes::calm(std::int64_t time) {
    note("calm");
    calm_ = true;
    redis_down_ = false;
    for (Mail& mail : mail_) {  // what is under way arrives
        mail.settled_at = std::min(mail.settled_at, now_);
        if (!mail.sent && mail.sent_at != never) mail.sent_at = std::min(mail.sent_at, now_);
    }
    for (const auto& node : nodes_) {
        node->cut_off = node->lossy = false;
        if (!node->running) start(*node);
    }
    for (const std::int64_t end = now_ + time; now_ < end;) {
        pass(100);
        for (const auto& node : nodes_) {
            for (std::size_t i = 0; i < counters; ++i) {
                ask(*node, i, 4);
                take(*node, i, 4, true);
            }
            node->running->tick();
        }
    }
}

// What has come of it.

std::int64_t SimulatedNodes::period() const {
    return limits_.rates.empty() ? hour : limits_.rates.front().period.count();
}

std::uint64_t SimulatedNodes::most(std::int64_t time) const {
    const auto& rate = limits_.rates.front();
    return counters * rate.count * static_cast<std::uint64_t>(time / rate.period.count());
}

std::uint64_t SimulatedNodes::sent(std::int64_t since) const {
    std::uint64_t all = 0;
    for (const Sent& each : sent_)
        if (each.at >= since) all += each.amount;
    return all;
}

std::string SimulatedNodes::worst_window(std::size_t counter) const {
    const auto& rate = limits_.rates.front();
    std::vector<Sent> all;
    for (const Sent& each : sent_)
        if (each.counter == counter) all.push_back(each);
    std::ranges::sort(all, {}, &Sent::at);
    std::uint64_t within = 0;
    std::size_t first = 0;
    for (const Sent& last : all) {
        within += last.amount;
        while (last.at - all[first].at >= rate.period.count()) within -= all[first++].amount;
        if (within > rate.count)
            return fmt::format("{} of {} between {} and {}, counter {}", within, rate.count,
                               all[first].at, last.at, counter);
    }
    return {};
}

std::string SimulatedNodes::worst_hour(std::size_t counter) const {
    std::map<std::int64_t, std::uint64_t> hours;
    for (const Sent& each : sent_)
        if (each.counter == counter) hours[(each.at + server_ahead_) / hour] += each.amount;
    for (const auto& [at, amount] : hours)
        if (amount > *limits_.quota.hourly)
            return fmt::format("{} of {} in an hour, counter {}", amount, *limits_.quota.hourly,
                               counter);
    return {};
}

std::string SimulatedNodes::excess() const {
    std::string found;
    for (std::size_t i = 0; i < counters && found.empty(); ++i) {
        if (!limits_.rates.empty()) found = worst_window(i);
        if (found.empty() && limits_.quota.hourly) found = worst_hour(i);
    }
    if (found.empty()) return found;
    std::string list;
    for (const auto& node : nodes_) list += fmt::format(" {} {:g}", node->name, node->share);
    std::string mails;
    for (const Sent& each : sent_)
        mails += fmt::format("{:>9} {} counter {} sends {}\n", each.at, each.node->name,
                             each.counter, each.amount);
    return found + "; shares" + list + "\n" + log_ + mails;
}

}  // namespace outpost::store
