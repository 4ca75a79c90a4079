#pragma once

#include "store/redis_channel.hpp"

struct redisContext;

/// A connection to Redis that never waits longer than its time limit. hiredis stays inside.
namespace outpost::store {

class RedisConnection final : public RedisChannel {
  public:
    /// See OpenRedis.
    [[nodiscard]] static std::expected<std::unique_ptr<RedisChannel>, std::string> open(
        const RedisAddress& address, std::chrono::milliseconds limit);

    /// All with one write.
    [[nodiscard]] std::expected<std::vector<RedisReply>, std::string> ask(
        Commands commands) override;

  private:
    struct Close {
        void operator()(redisContext* context) const noexcept;
    };
    RedisConnection(redisContext* context, std::string name, std::chrono::milliseconds limit)
        : RedisChannel(std::move(name)), context_(context), limit_(limit) {}

    std::unique_ptr<redisContext, Close> context_;
    std::chrono::milliseconds limit_;
};

}  // namespace outpost::store
