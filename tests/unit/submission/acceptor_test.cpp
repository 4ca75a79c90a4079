#include "submission/acceptor.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

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

TEST(Acceptor, GoesOnOnceThereAreFileDescriptorsAgain) {
    Harness harness;
    const auto port = harness.start_trusted();
    std::optional<TestClient> client;
    {
        const OneMoreFile limit;
        client.emplace(port);
        // The server cannot take the connection: a second client has no descriptor either.
        EXPECT_EQ(::socket(AF_INET, SOCK_STREAM, 0), -1);
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
