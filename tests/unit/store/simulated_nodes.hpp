#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "simulated_redis.hpp"
#include "store/redis_node.hpp"

namespace outpost::store {

/// Some nodes that share two counters through a Redis, in a time of their own, with everything that
/// can happen to nodes, network and Redis in a random order. Every mail that goes out is written
/// down.
class SimulatedNodes {
  public:
    explicit SimulatedNodes(unsigned seed);
    ~SimulatedNodes();
    /// Something happens.
    void step();
    /// Everything works again, and mail flows for so long.
    void calm(std::int64_t time);

    /// What went out over a limit, in words with what happened before; empty if nothing.
    [[nodiscard]] std::string excess() const;
    /// How much went out in all since this time.
    [[nodiscard]] std::uint64_t sent(std::int64_t since = 0) const;
    /// How much the rate allows in some whole windows.
    [[nodiscard]] std::uint64_t most(std::int64_t time) const;
    /// A node was told that another process has its name, which never was so.
    [[nodiscard]] bool replaced() const { return replaced_; }
    [[nodiscard]] std::int64_t now() const { return now_; }
    [[nodiscard]] bool has_quota() const { return limits_.quota.hourly.has_value(); }
    [[nodiscard]] std::int64_t period() const;

  private:
    static constexpr std::size_t counters = 2;
    struct Clock final : base::Clock {
        explicit Clock(const SimulatedNodes& owner) : nodes(owner) {}
        [[nodiscard]] base::WallTime wall() const override;
        [[nodiscard]] base::MonoTime mono() const override;
        const SimulatedNodes& nodes;
    };
    class Channel;
    struct Tally {
        std::uint64_t granted = 0;
        std::uint64_t taken = 0;
        std::uint64_t used = 0;
        std::uint64_t returned = 0;
    };
    struct Node {
        std::string name;
        double share = 0;
        std::string memory;
        std::unique_ptr<RedisNode> running;
        std::array<Tally, counters> tallies;
        unsigned process = 0;
        bool busy = false;     ///< its store's thread is
        bool closing = false;  ///< takes nothing any more
        bool cut_off = false;
        bool lossy = false;
        bool dying = false;
    };
    /// Taken, and not settled.
    struct Mail {
        Node* node;
        unsigned process;
        std::size_t counter;
        std::uint64_t amount;
        std::int64_t sent_at;  ///< never: it comes back unused
        std::int64_t settled_at;
        bool sent = false;
    };
    struct Sent {
        std::int64_t at;
        const Node* node;
        std::size_t counter;
        std::uint64_t amount;
    };
    struct Late {
        std::int64_t at;
        std::vector<std::string> command;
    };

    [[nodiscard]] std::int64_t below(std::int64_t bound);
    [[nodiscard]] bool chance(int in);
    [[nodiscard]] std::int64_t server_time() const { return now_ + server_ahead_; }
    void note(const std::string& what);
    void pass(std::int64_t time);
    void pass_some();
    void settle();
    void start(Node& node);
    void crash(Node& node);
    void call_and_die(Node& node);
    void leave(Node& node);
    void act(Node& node);
    void ask(Node& node, std::size_t counter, std::uint64_t want);
    void take(Node& node, std::size_t counter, std::uint64_t amount, bool at_once);
    void others_act();
    void harm();
    void harm_redis();
    void harm_node(Node& node);
    [[nodiscard]] std::string worst_window(std::size_t counter) const;
    [[nodiscard]] std::string worst_hour(std::size_t counter) const;

    std::mt19937 random_;
    std::int64_t now_ = 0;
    std::int64_t server_ahead_ = 0;
    Clock clock_{*this};
    limit::Limits limits_;
    SimulatedRedis redis_;
    // Of this world: how much happens, how fast time goes, how much mail there is.
    int harm_one_in_ = 0;
    int others_one_in_ = 0;
    bool leaps_ = false;
    bool greedy_ = false;
    bool calm_ = false;
    bool redis_down_ = false;
    bool replaced_ = false;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<Mail> mail_;
    std::vector<Late> late_;
    std::vector<Sent> sent_;
    std::string log_;
};

}  // namespace outpost::store
