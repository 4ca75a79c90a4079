#include "store/redis_channel.hpp"

#include <fmt/format.h>

#include <utility>

namespace outpost::store {

std::string RedisChannel::failure(std::string_view why) const {
    return fmt::format("Redis {}: {}", name_, why);
}

std::expected<RedisReply, std::string> RedisChannel::ask_one(
    const std::vector<std::string>& command) {
    auto replies = ask(Commands(&command, 1));
    if (!replies) return std::unexpected(replies.error());
    if (replies->front().error) return std::unexpected(failure(replies->front().text));
    return std::move(replies->front());
}

}  // namespace outpost::store
