#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"

/// What a node sees of Redis; behind it is a connection, or in tests a simulation.
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

/// Errors name host and port, never the password. After one the channel is of no more use.
class RedisChannel {
  public:
    using Commands = std::span<const std::vector<std::string>>;

    virtual ~RedisChannel() = default;
    /// The answers in order. An answer that is an error is an answer.
    [[nodiscard]] virtual std::expected<std::vector<RedisReply>, std::string> ask(
        Commands commands) = 0;
    /// One command whose error is a failure.
    [[nodiscard]] std::expected<RedisReply, std::string> ask_one(
        const std::vector<std::string>& command);

  protected:
    explicit RedisChannel(std::string name) : name_(std::move(name)) {}
    RedisChannel(const RedisChannel&) = default;
    RedisChannel(RedisChannel&&) = default;
    [[nodiscard]] std::string failure(std::string_view why) const;

  private:
    std::string name_;
};

/// Connects, signs in, chooses the database. `limit`: for connecting and for each answer.
using OpenRedis = std::function<std::expected<std::unique_ptr<RedisChannel>, std::string>(
    const RedisAddress& address, std::chrono::milliseconds limit)>;

}  // namespace outpost::store
