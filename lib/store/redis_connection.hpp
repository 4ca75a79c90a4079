#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"

struct redisContext;

/// A connection to Redis that never waits longer than its time limit. hiredis stays inside.
namespace outpost::store {

struct RedisAddress {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6379;
    std::uint32_t database = 0;
    base::Secret password;  ///< empty: none
};

struct RedisReply {
    std::string text;         ///< a string, a status or an error
    std::int64_t number = 0;  ///< an integer
    bool error = false;
    std::vector<RedisReply> elements;
};

/// Errors name host and port, never the password. After one the connection is of no more use.
class RedisConnection {
  public:
    /// Connects, signs in, chooses the database. `limit`: for connecting and for each answer.
    [[nodiscard]] static std::expected<RedisConnection, std::string> open(
        const RedisAddress& address, std::chrono::milliseconds limit);

    /// All with one write; the answers in order. An answer that is an error is an answer.
    [[nodiscard]] std::expected<std::vector<RedisReply>, std::string> ask(
        std::span<const std::vector<std::string>> commands);
    /// One command whose error is a failure.
    [[nodiscard]] std::expected<RedisReply, std::string> ask(
        const std::vector<std::string>& command);

  private:
    struct Close {
        void operator()(redisContext* context) const noexcept;
    };
    RedisConnection(redisContext* context, std::string name, std::chrono::milliseconds limit)
        : context_(context), name_(std::move(name)), limit_(limit) {}
    [[nodiscard]] std::string failure(std::string_view why) const;

    std::unique_ptr<redisContext, Close> context_;
    std::string name_;
    std::chrono::milliseconds limit_;
};

}  // namespace outpost::store
