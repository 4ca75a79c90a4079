#include "store/redis_connection.hpp"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <sys/socket.h>

#include <cerrno>

namespace outpost::store {

namespace {

struct FreeReply {
    void operator()(void* reply) const noexcept { freeReplyObject(reply); }
};

timeval time_of(std::chrono::milliseconds time) {
    return {time.count() / 1000, (time.count() % 1000) * 1000};
}

RedisReply copy(const redisReply& reply) {
    RedisReply out;
    out.error = reply.type == REDIS_REPLY_ERROR;
    if (reply.str != nullptr) out.text.assign(reply.str, static_cast<std::size_t>(reply.len));
    if (reply.type == REDIS_REPLY_INTEGER) out.number = reply.integer;
    if (reply.type == REDIS_REPLY_ARRAY)
        for (std::size_t i = 0; i < reply.elements; ++i)
            out.elements.push_back(copy(*reply.element[i]));
    return out;
}

}  // namespace

void RedisConnection::Close::operator()(redisContext* context) const noexcept {
    if (context->fd >= 0) {
        // What has not left yet is not to arrive later.
        const linger at_once{1, 0};
        setsockopt(context->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    redisFree(context);
}

std::expected<std::unique_ptr<RedisChannel>, std::string> RedisConnection::open(
    const RedisAddress& address, std::chrono::milliseconds limit) {
    const std::string name = fmt::format("{}:{}", address.host, address.port);
    std::unique_ptr<RedisConnection> made(new RedisConnection(
        redisConnectWithTimeout(address.host.c_str(), address.port, time_of(limit)), name, limit));
    redisContext* const context = made->context_.get();
    if (context == nullptr) return std::unexpected(made->failure("out of memory"));
    if (context->err != 0) return std::unexpected(made->failure(context->errstr));
    redisSetTimeout(context, time_of(limit));
    if (!address.password.empty()) {
        const auto reply = made->ask_one({"AUTH", std::string(address.password.reveal())});
        if (!reply) return std::unexpected(reply.error() + " (limits.store: check the password)");
    }
    if (address.database != 0) {
        const auto reply = made->ask_one({"SELECT", std::to_string(address.database)});
        if (!reply) return std::unexpected(reply.error());
    }
    return made;
}

std::expected<std::vector<RedisReply>, std::string> RedisConnection::ask(Commands commands) {
    const auto deadline = std::chrono::steady_clock::now() + limit_;
    std::vector<const char*> words;
    std::vector<std::size_t> sizes;
    for (const auto& command : commands) {
        words.clear();
        sizes.clear();
        for (const auto& word : command) {
            words.push_back(word.data());
            sizes.push_back(word.size());
        }
        redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(),
                               sizes.data());
    }
    std::vector<RedisReply> replies;
    for (std::size_t i = 0; i < commands.size(); ++i) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return std::unexpected(failure("no answer in time"));
        redisSetTimeout(context_.get(), time_of(left));
        void* raw = nullptr;
        if (redisGetReply(context_.get(), &raw) != REDIS_OK) {
            const bool late =
                context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT);
            return std::unexpected(failure(late ? "no answer in time" : context_->errstr));
        }
        const std::unique_ptr<void, FreeReply> reply(raw);
        replies.push_back(copy(*static_cast<const redisReply*>(raw)));
    }
    return replies;
}

}  // namespace outpost::store
