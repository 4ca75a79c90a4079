#include <gtest/gtest.h>

#include "spool/file_system.hpp"
#include "spool/spool.hpp"
#include "submission/harness.hpp"

namespace outpost::test {
namespace {

/// A message as a client would send it, dots doubled, and as it is meant.
struct Message {
    std::string sent;
    std::string meant;
};

Message large_message(std::size_t size) {
    Message message;
    message.meant =
        "From: shop@example.com\r\nMessage-ID: <1@example.com>\r\n"
        "Date: Sat, 21 Nov 2026 21:56:53 +0000\r\n\r\n";
    message.sent = message.meant;
    for (std::size_t line = 0; message.meant.size() < size; ++line) {
        std::string text = (line % 3 == 0 ? "." : "") + std::to_string(line) +
                           std::string(line % 997, static_cast<char>('a' + line % 26)) + "\r\n";
        if (line % 7 == 0) text = "\xC3\xA4" + text;
        message.meant += text;
        if (text.starts_with(".")) message.sent += ".";
        message.sent += text;
    }
    return message;
}

class SessionLarge : public testing::Test {
  protected:
    SessionLarge() {
        spool_ = spool::Spool::open({.directory = directory_.path() / "spool", .min_free = 0},
                                    files_, clock_, *readers_)
                     .value();
        harness.real_spool = spool_.get();
        client.emplace(harness.start_trusted());
        client->read_line();
        client->ask("EHLO client");
        client->ask("MAIL FROM:<shop@example.com>");
        client->ask("RCPT TO:<you@example.net>");
    }
    ~SessionLarge() override {
        client.reset();
        harness.server->stop(std::chrono::seconds(5));
        spool_->close();
        spool_.reset();
        readers_.reset();  // its threads may still let go of an executor of the harness
    }

    /// The stored message that a reply names.
    std::string content_of(const std::string& reply) {
        const auto id = base::MessageId::parse(reply.substr(reply.rfind(' ') + 1));
        EXPECT_TRUE(id) << reply;
        std::string content;
        run(context_, [&]() -> boost::asio::awaitable<void> {
            auto stored = co_await spool_->read(*id);
            EXPECT_TRUE(stored);
            for (;;) {
                auto piece = co_await stored->body->next();
                EXPECT_TRUE(piece);
                if (!piece || piece->empty()) break;
                content += *piece;
            }
        });
        return content;
    }

    Harness harness;
    std::optional<TestClient> client;

  private:
    TempDirectory directory_;
    spool::PosixFileSystem files_;
    base::SystemClock clock_;
    boost::asio::io_context context_;
    std::optional<net::OffloadPool> readers_{std::in_place, 1, 100};
    std::unique_ptr<spool::Spool> spool_;
};

TEST_F(SessionLarge, ArrivesOctetForOctetThroughData) {
    const auto message = large_message(3 << 20);
    client->ask("DATA");
    client->send(message.sent + ".\r\n");
    const auto reply = client->read_line();
    ASSERT_EQ(reply.substr(0, 23), "250 2.0.0 Ok: queued as") << reply;
    const auto content = content_of(reply);
    EXPECT_TRUE(content.starts_with("Received: from client"));
    EXPECT_TRUE(content.ends_with(message.meant));
    EXPECT_LT(content.size(), message.meant.size() + 400);
}

TEST_F(SessionLarge, ArrivesOctetForOctetThroughChunks) {
    const auto message = large_message(1 << 20);
    for (std::size_t at = 0; at < message.meant.size(); at += 100'000) {
        const auto chunk = message.meant.substr(at, 100'000);
        client->send("BDAT " + std::to_string(chunk.size()) + "\r\n" + chunk);
        ASSERT_EQ(client->read_line().substr(0, 12), "250 2.0.0 Ok");
    }
    const auto reply = client->ask("BDAT 0 LAST");
    EXPECT_TRUE(content_of(reply).ends_with(message.meant));
}

TEST_F(SessionLarge, IsReadToTheEndWhenItIsRefused) {
    const auto message = large_message(1 << 20);
    client->ask("DATA");
    client->send(message.sent + "bare\nLF\r\n.\r\n");
    EXPECT_EQ(client->read_line().substr(0, 10), "550 5.6.11");
    EXPECT_EQ(client->ask("NOOP"), "250 2.0.0 Ok");
}

}  // namespace
}  // namespace outpost::test
