// The part of SmtpConnection that sends message octets: few writes, each bounded in time.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "upstream/smtp_connection.hpp"

namespace outpost::upstream {

namespace {

using smtp::ClientBroken;
using smtp::ClientFault;
using std::chrono::seconds;

/// Octets a write: large enough for few calls, small enough that a slow but moving connection
/// gets each done within the time that RFC 5321 gives a data block.
constexpr std::size_t block = 128UL * 1024;

std::unexpected<ClientBroken> unreadable(std::string words) {
    return std::unexpected(ClientBroken{ClientFault::local, std::move(words)});
}

}  // namespace

SmtpConnection::awaitable<SmtpConnection::Written> SmtpConnection::write_output(seconds limit) {
    const std::string_view piece = output_;
    auto written = co_await write({&piece, 1}, limit);
    output_.clear();
    co_return written;
}

SmtpConnection::awaitable<SmtpConnection::Written> SmtpConnection::write_body(
    OutgoingMessage& message, bool stuffed) {
    const auto memory = message.memory();
    if (memory) co_return co_await write_memory(*memory, stuffed);
    co_return co_await stream_body(message.source(), message.size(), stuffed);
}

SmtpConnection::awaitable<SmtpConnection::Written> SmtpConnection::write_memory(
    std::string_view body, bool stuffed) {
    smtp::DataEncoder encoder;
    const auto limit = settings_->client.limits.block;
    std::string_view front = output_;
    do {
        const auto part = body.substr(0, block);
        body.remove_prefix(part.size());
        const std::array<std::string_view, 3> pieces{
            front, stuffed ? encoder.encode(part, scratch_) : part,
            stuffed && body.empty() ? encoder.finish() : std::string_view()};
        auto written = co_await write(pieces, limit);
        if (!written) co_return written;
        front = {};
    } while (!body.empty());
    co_return Written{};
}

SmtpConnection::awaitable<SmtpConnection::Written> SmtpConnection::stream_body(
    spool::BodySource& source, std::uint64_t size, bool stuffed) {
    smtp::DataEncoder encoder;
    const auto limit = settings_->client.limits.block;
    std::uint64_t total = 0;
    for (;;) {
        auto piece = co_await source.next();
        if (!piece) co_return unreadable(std::move(piece.error()));
        total += piece->size();
        const bool last = piece->empty();
        // BDAT has promised a number, and a message cut short must not be taken for a whole one.
        if (last ? total != size : total > size)
            co_return unreadable(fmt::format(
                "the stored message has {} octets instead of the {} it should have", total, size));
        output_ += stuffed ? encoder.encode(*piece, scratch_) : *piece;
        if (last && stuffed) output_ += encoder.finish();
        if (output_.size() < block && !last) continue;
        if (!output_.empty()) {
            auto written = co_await write_output(limit);
            if (!written) co_return written;
        }
        if (last) co_return Written{};
    }
}

}  // namespace outpost::upstream
