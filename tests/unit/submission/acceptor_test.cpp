#include "submission/acceptor.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <latch>

#include "submission/harness.hpp"

namespace outpost::test {
namespace {

/// Lets this process open one more file, until it goes.
class OneMoreFile {
  public:
    OneMoreFile() {
        getrlimit(RLIMIT_NOFILE, &before_);
        const int lowest_free = dup(0);
        ::close(lowest_free);
        const rlimit tight{.rlim_cur = static_cast<rlim_t>(lowest_free) + 1,
                           .rlim_max = before_.rlim_max};
        setrlimit(RLIMIT_NOFILE, &tight);
    }
    ~OneMoreFile() { setrlimit(RLIMIT_NOFILE, &before_); }
    OneMoreFile(const OneMoreFile&) = delete;
    OneMoreFile& operator=(const OneMoreFile&) = delete;

  private:
    rlimit before_{};
};

#ifndef __has_feature
#define __has_feature(x) 0
#endif
constexpr bool checks_need_descriptors = __has_feature(undefined_behavior_sanitizer);

TEST(Acceptor, GoesOnOnceThereAreFileDescriptorsAgain) {
    if (checks_need_descriptors)
        GTEST_SKIP()
            << "UndefinedBehaviorSanitizer opens pipes to probe memory, and there are none";
    Harness harness;
    const auto port = harness.start_trusted();
    std::optional<TestClient> client;
    {
        const OneMoreFile limit;
        client.emplace(port);
        EXPECT_EQ(::dup(0), -1) << "the server could still open a file";
        // Once its loop has gone round, the server has tried and failed.
        for (int round = 0; round < 3; ++round) {
            std::latch turn(1);
            boost::asio::post((*harness.threads)[0], [&] { turn.count_down(); });
            turn.wait();
        }
    }
    EXPECT_EQ(client->read_line(), greeting);
}

TEST(Acceptor, TakesABurstOfConnections) {
    Harness harness;
    const auto port = harness.start_trusted();
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 100; ++i) clients.push_back(std::make_unique<TestClient>(port));
    for (const auto& client : clients) EXPECT_EQ(client->read_line(), greeting);
    EXPECT_EQ(harness.server->sessions(), 100U);
}

}  // namespace
}  // namespace outpost::test
