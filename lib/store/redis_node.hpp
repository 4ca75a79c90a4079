#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "limit/lease.hpp"
#include "store/node_memory.hpp"
#include "store/redis_call.hpp"
#include "store/redis_channel.hpp"
#include "store/shared_counter.hpp"

/// One of several nodes that share counters through Redis.
namespace outpost::store {

struct RedisOptions {
    RedisAddress address;
    std::string node;  ///< this machine's name among those that share the counters
    double share = 0;  ///< of each limit while Redis is away; all nodes' together at most 1
    // What only a test has reason to change.
    std::chrono::milliseconds time_limit{1000};  ///< to connect and for an answer
    std::chrono::milliseconds away{3000};  ///< until a silent node's share is kept; the same on all
    std::chrono::milliseconds first_back_off{100};
    std::chrono::milliseconds longest_back_off{5000};
    std::chrono::milliseconds heartbeat{1000};
};

/// Redis is away (or back), in words for the operator. Called on the store's thread.
using OnRedisChange = std::function<void(bool away, const std::string& text)>;

/// Belongs to one thread, which it blocks for at most about the time limit.
class RedisNode {
  public:
    struct Pending {
        limit::LeaseRequest request;
        std::function<void(const limit::LeaseAnswer&)> done;
    };

    RedisNode(RedisOptions options, NodeMemory memory, OpenRedis open, const base::Clock& clock,
              OnRedisChange on_change);

    /// Answers all, by Redis or without it. At most one request of each key.
    void handle(std::span<Pending> round);
    /// What is due: connecting again, telling Redis that this node lives.
    void tick();
    /// When tick() has something to do.
    [[nodiscard]] base::MonoTime next_tick() const;
    /// An orderly end: nothing is taken any more, others need not keep anything for this node.
    void leave();

  private:
    struct Key {
        SharedCounter counter;
        std::uint64_t acknowledged = 0;
        limit::Usage granted_before;  ///< the request that is dealt with
        std::int64_t requested_at = 0;
        std::int64_t contact_at = INT64_MIN / 2;
        bool all_known = false;
    };
    struct Exchange {
        Key* key;
        Call call;
    };

    [[nodiscard]] std::int64_t mono() const;
    [[nodiscard]] Moment moment() const;
    [[nodiscard]] base::WallTime wall_of(std::int64_t server_time) const;
    [[nodiscard]] bool usable() const { return channel_ && !replaced_; }
    void connect();
    [[nodiscard]] std::expected<void, std::string> greet(RedisChannel& channel);
    void set_server_time(std::int64_t time, std::int64_t asked, std::int64_t answered);
    void lose(const std::string& why);
    void say(bool away, const std::string& text);
    void check_shares(const Contact& contact);
    [[nodiscard]] Epoch& epoch_of(const Contact& contact, const Moment& now);

    [[nodiscard]] Exchange exchange(const std::string& name, Key& key);
    /// One contact or refusal for each, or nothing where the connection is lost.
    [[nodiscard]] std::vector<std::expected<Contact, Refused>> ask(std::span<Exchange> exchanges);
    [[nodiscard]] bool take(Contact& contact, Exchange& exchange, std::int64_t asked_at);
    [[nodiscard]] bool may_use_share();
    void answer(Pending& pending, Key& key, std::optional<std::int64_t> ask_again);
    void answer_alone(Pending& pending, Key& key);
    void beat(std::int64_t now);
    void note_what_is_told();

    RedisOptions options_;
    OpenRedis open_;
    const base::Clock& clock_;
    OnRedisChange on_change_;
    NodeMemory memory_;
    const bool began_on_its_share_;
    const std::string inherited_epoch_;
    std::string first_epoch_;  ///< that this process has dealt with
    const std::string instance_;
    std::int64_t started_ = 0;  ///< by the server's clock; 0: never connected
    std::unique_ptr<RedisChannel> channel_;
    std::string script_;  ///< its digest
    std::string run_;
    std::string abandon_;
    Fallback fallback_;
    std::map<std::string, Key> keys_;
    std::uint64_t sequence_ = 0;
    // The server's clock: at local `answered_at_` at least, at `asked_at_` at most, `server_time_`.
    bool synchronised_ = false;
    std::int64_t server_time_ = 0;
    std::int64_t asked_at_ = 0;
    std::int64_t answered_at_ = 0;
    std::int64_t next_connect_ = 0;
    std::chrono::milliseconds back_off_;
    std::int64_t last_contact_ = 0;
    std::int64_t last_beat_ = 0;
    std::int64_t share_used_at_ = 0;  ///< last time something was granted without Redis
    bool away_ = true;
    bool said_away_ = false;
    bool replaced_ = false;
    bool shares_reported_ = false;
    bool incomplete_reported_ = false;
    std::string trouble_;
};

}  // namespace outpost::store
