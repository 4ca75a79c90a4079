#include "upstream/sandbox_transport.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <iterator>

#include "upstream/smtp_fixture.hpp"

namespace outpost::upstream {
namespace {

namespace fs = std::filesystem;

class SandboxTest : public ::testing::Test {
  protected:
    SandboxTest() {
        std::string name = (fs::temp_directory_path() / "outpost-XXXXXX").string();
        directory_ = mkdtemp(name.data());
        envelope_.account = "shop";
        envelope_.reverse_path = "a@test";
        envelope_.recipients = {{.address = "\"x\\\"y\"@test", .notify = {}, .orcpt = {}},
                                {.address = "z@test", .notify = {}, .orcpt = {}}};
    }
    ~SandboxTest() override { fs::remove_all(directory_); }

    SendReport send(SandboxTransport& transport, std::vector<std::uint32_t> recipients) {
        test::FakeBody body("Subject: x\r\n\r\n.dot\r\n", 5);
        return loop_.run(transport.send({{1}, envelope_, recipients, body}));
    }
    std::string contents(const std::string& name) {
        std::ifstream file(directory_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    test::Loop loop_;
    net::OffloadPool pool_{1, 10};
    fs::path directory_;
    smtp::Envelope envelope_;
    std::string id_ = base::MessageId{1}.text();
};

TEST_F(SandboxTest, WritesTheMessageOctetForOctetAndItsEnvelopeBeside) {
    SandboxTransport transport(directory_, pool_);
    const auto report = send(transport, {0, 1});
    ASSERT_EQ(report.outcomes.size(), 2U);
    EXPECT_EQ(report.outcomes[1].verdict, Verdict::delivered);
    EXPECT_EQ(report.outcomes[1].remote_id, id_ + ".eml");
    EXPECT_EQ(contents(id_ + ".eml"), "Subject: x\r\n\r\n.dot\r\n");
    EXPECT_EQ(contents(id_ + ".json"),
              "{\"id\": \"" + id_ +
                  "\", \"account\": \"shop\", \"sender\": \"a@test\", \"recipients\": "
                  "[\"\\\"x\\\\\\\"y\\\"@test\", \"z@test\"], \"received\": "
                  "\"1970-01-01T00:00:00.000Z\"}\n");
}

TEST_F(SandboxTest, KeepsWhatWasSentToOtherRecipientsBefore) {
    SandboxTransport transport(directory_, pool_);
    send(transport, {0});
    send(transport, {0});
    EXPECT_EQ(send(transport, {1}).outcomes[0].remote_id, id_ + "-2.eml");
    EXPECT_EQ(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()), 4);
}

TEST_F(SandboxTest, DefersWhatCannotBeWritten) {
    SandboxTransport transport(directory_ / "gone", pool_);
    const auto outcome = send(transport, {0}).outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::upstream);
    EXPECT_NE(outcome.reply.lines.at(0).find("No such file or directory"), std::string::npos);
    EXPECT_FALSE(loop_.run(transport.probe()).has_value());
}

TEST_F(SandboxTest, ProbesItsDirectory) {
    SandboxTransport transport(directory_, pool_);
    EXPECT_TRUE(loop_.run(transport.probe()).has_value());
    EXPECT_TRUE(fs::is_empty(directory_));
}

}  // namespace
}  // namespace outpost::upstream
