#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <variant>

#include "net/stream.hpp"
#include "smtp/line_reader.hpp"
#include "smtp/receive_buffer.hpp"
#include "smtp/reply.hpp"

namespace outpost::submission {

/// The wire of a session: what has arrived and is not used up, and replies on their way out.
/// Replies are collected and leave in one write when the client is to speak next (RFC 2920 section
/// 3.2). Used by the session's coroutine alone.
class Conversation {
  public:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;
    using Duration = std::chrono::steady_clock::duration;

    Conversation(boost::asio::io_context& context, boost::asio::ip::tcp::socket socket)
        : stream_(context, std::move(socket)) {}

    [[nodiscard]] net::Stream& stream() noexcept { return stream_; }
    [[nodiscard]] smtp::ReceiveBuffer& input() noexcept { return input_; }

    /// A reply of one line, without its CRLF.
    void say(std::string_view line) {
        output_ += line;
        output_ += "\r\n";
    }
    void say(const smtp::Reply& reply) { output_ += reply.wire(); }
    /// Whole replies as they go out.
    void say_wire(std::string_view octets) { output_ += octets; }

    /// The next whole line of what has arrived, if there is one.
    [[nodiscard]] smtp::LineEvent next_line() noexcept { return lines_.next(input_); }

    /// Sends what was said.
    awaitable<net::Result<void>> flush();
    /// Sends what was said, then waits for octets; room for `at_least` is made.
    awaitable<net::Result<void>> fill(std::size_t at_least);
    /// Waits for octets and takes `at_most` of them; what follows is not for this conversation.
    awaitable<net::Result<void>> fill_exactly(std::size_t at_most);
    /// Sends what was said and waits for a line.
    awaitable<net::Result<std::variant<smtp::Line, smtp::BadLine>>> read_line();
    /// Sends what was said and closes. If the client may still be sending, it gets a moment to
    /// read the reply before the connection is reset by what nobody reads.
    awaitable<void> close(bool linger);

    static constexpr std::size_t command_room = 4096;

  private:
    net::Stream stream_;
    smtp::ReceiveBuffer input_;
    /// RFC 5321's 512 octets are exceeded by ESMTP parameters and AUTH (RFC 4954 section 4).
    smtp::LineReader lines_{smtp::LineReader::auth_limit};
    std::string output_;
};

}  // namespace outpost::submission
