#include "upstream/whole_body.hpp"

#include <fmt/format.h>

#include <utility>

namespace outpost::upstream {

boost::asio::awaitable<std::expected<std::string, std::string>> read_whole(
    spool::BodySource& body) {
    std::string message;
    message.reserve(body.size());
    body.rewind();
    for (;;) {
        auto piece = co_await body.next();
        if (!piece) co_return std::unexpected(std::move(piece.error()));
        if (piece->empty()) break;
        message += *piece;
    }
    if (message.size() != body.size())
        co_return std::unexpected(
            fmt::format("the stored message has {} octets instead of the {} it should have",
                        message.size(), body.size()));
    co_return message;
}

}  // namespace outpost::upstream
