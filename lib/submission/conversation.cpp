#include "submission/conversation.hpp"

namespace outpost::submission {

namespace {

constexpr std::chrono::seconds linger_time{1};
constexpr std::size_t linger_octets = 1 << 20;

}  // namespace

Conversation::awaitable<net::Result<void>> Conversation::flush() {
    if (output_.empty()) co_return net::Result<void>{};
    auto sent = co_await stream_.write(std::string_view(output_));
    output_.clear();
    co_return sent;
}

Conversation::awaitable<net::Result<void>> Conversation::fill(std::size_t at_least) {
    if (!output_.empty()) {
        auto sent = co_await stream_.write(std::string_view(output_));
        output_.clear();
        if (!sent) co_return sent;
    }
    auto received = co_await stream_.read_some(input_.prepare(at_least));
    if (!received) co_return std::unexpected(std::move(received).error());
    input_.commit(*received);
    co_return net::Result<void>{};
}

Conversation::awaitable<net::Result<void>> Conversation::fill_exactly(std::size_t at_most) {
    auto received = co_await stream_.read_some(input_.prepare(at_most).first(at_most));
    if (!received) co_return std::unexpected(std::move(received).error());
    input_.commit(*received);
    co_return net::Result<void>{};
}

Conversation::awaitable<net::Result<std::variant<smtp::Line, smtp::BadLine>>>
Conversation::read_line() {
    for (;;) {
        const auto event = next_line();
        if (const auto* line = std::get_if<smtp::Line>(&event)) co_return *line;
        if (const auto* bad = std::get_if<smtp::BadLine>(&event)) co_return *bad;
        auto filled = co_await fill(command_room);
        if (!filled) co_return std::unexpected(std::move(filled).error());
    }
}

Conversation::awaitable<void> Conversation::close(bool linger) {
    if (stream_.is_open()) {
        stream_.expires_after(linger_time);
        auto sent = co_await flush();
        std::size_t dropped = 0;
        while (linger && sent && dropped < linger_octets) {
            input_.clear();
            auto received = co_await stream_.read_some(input_.prepare(command_room));
            if (!received) break;
            dropped += *received;
        }
    }
    co_await stream_.shutdown();
}

}  // namespace outpost::submission
