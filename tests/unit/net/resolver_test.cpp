#include "net/resolver.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ip/udp.hpp>
#include <thread>

#include "loopback.hpp"

namespace outpost::net {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

/// A name server on the loopback interface that knows one domain: mail.test has two MX records,
/// plain.test has an address and no MX, every other name does not exist. Counts the questions.
class FakeNameServer {
  public:
    FakeNameServer() : socket_(context_, {asio::ip::address_v4::loopback(), 0}) {
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeNameServer() {
        // An empty datagram ends the loop; closing the socket under the thread would race.
        udp::socket last(context_, udp::v4());
        last.send_to(asio::buffer("", 0), socket_.local_endpoint());
        thread_.join();
    }
    FakeNameServer(const FakeNameServer&) = delete;
    FakeNameServer& operator=(const FakeNameServer&) = delete;

    [[nodiscard]] std::string address() const {
        return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
    }
    [[nodiscard]] int questions() const { return questions_; }

  private:
    void serve() {
        std::array<char, 512> buffer{};
        for (;;) {
            udp::endpoint from;
            const auto size = socket_.receive_from(asio::buffer(buffer), from);
            if (size == 0) return;
            ++questions_;
            socket_.send_to(asio::buffer(answer({buffer.data(), size})), from);
        }
    }

    /// `question` with the header of an answer, cut behind the question section, and records.
    static std::string answer(std::string_view question) {
        std::size_t end = 12;
        std::string name;
        while (question[end] != 0) {
            name.append(question.substr(end + 1, static_cast<std::size_t>(question[end])));
            name += '.';
            end += 1 + static_cast<std::size_t>(question[end]);
        }
        const int type = question[end + 2];
        std::string out(question.substr(0, end + 5));
        std::string records;
        char count = 0;
        char code = 0;
        const std::string start("\xC0\x0C\x00", 3);  // the name of the question, then the type
        const std::string ttl("\x00\x01\x00\x00\x00\x3C\x00", 7);
        if (name == "mail.test." && type == 15) {
            // Length of the data, preference, then `mxtwo` before the name of the question.
            records = start + "\x0F" + ttl + std::string("\x0A\x00\x14\x05mxtwo\xC0\x0C", 11);
            records += start + "\x0F" + ttl + std::string("\x0A\x00\x0A\x05mxone\xC0\x0C", 11);
            count = 2;
        } else if (name == "plain.test." && type == 1) {
            records = start + "\x01" + ttl + std::string("\x04\x7F\x00\x00\x09", 5);
            count = 1;
        } else if (name != "plain.test." && name != "mail.test.") {
            code = 3;
        }
        out[2] = static_cast<char>(0x81);
        out[3] = static_cast<char>(0x80 | code);
        out[7] = count;
        out[8] = out[9] = out[10] = out[11] = 0;
        return out + records;
    }

    asio::io_context context_;
    udp::socket socket_;
    std::thread thread_;
    std::atomic<int> questions_{0};
};

struct ResolverTest : testing::Test {
    FakeNameServer server;
    asio::io_context context{1};
    OffloadPool pool{1, 16};
    Resolver resolver{pool, server.address()};

    template <class Ask>
    auto ask(Ask question) {
        typename decltype(question())::value_type result;
        test::run(context, [&]() -> asio::awaitable<void> { result = co_await question(); });
        return result;
    }
};

TEST_F(ResolverTest, FindsMxRecordsByPreference) {
    const auto found = ask([&] { return resolver.mx("mail.test"); });
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_EQ(*found, (std::vector<Mx>{{10, "mxone.mail.test"}, {20, "mxtwo.mail.test"}}));
}

TEST_F(ResolverTest, NoMxRecordsIsAnAnswer) {
    const auto found = ask([&] { return resolver.mx("plain.test"); });
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_TRUE(found->empty());
}

TEST_F(ResolverTest, FindsAddressesAndKeepsThemForTheirTime) {
    for (int i = 0; i < 3; ++i) {
        const auto found = ask([&] { return resolver.addresses("plain.test"); });
        ASSERT_TRUE(found) << found.error().text;
        ASSERT_EQ(found->size(), 1U);
        EXPECT_EQ(found->front().to_string(), "127.0.0.9");
    }
    EXPECT_LE(server.questions(), 2) << "an A and an AAAA question, once";
}

TEST_F(ResolverTest, ANameThatDoesNotExistIsPermanentAndNamed) {
    const auto found = ask([&] { return resolver.addresses("nowhere.test"); });
    ASSERT_FALSE(found);
    EXPECT_TRUE(found.error().permanent);
    EXPECT_EQ(found.error().text, "no address found for nowhere.test");
}

TEST_F(ResolverTest, AnAddressIsItselfWithoutAQuestion) {
    const auto found = ask([&] { return resolver.addresses("::1"); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->front().to_string(), "::1");
    EXPECT_EQ(server.questions(), 0);
}

}  // namespace
}  // namespace outpost::net
