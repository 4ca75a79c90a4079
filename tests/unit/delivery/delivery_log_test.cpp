#include "delivery/delivery_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/log.hpp"
#include "fake_transport.hpp"

namespace outpost::delivery {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DeliveryLog : public ::testing::Test {
  protected:
    DeliveryLog() {
        envelope.account = "shop";
        envelope.reverse_path = "sender@example.com";
    }
    void add(const std::string& address, Settled what, upstream::Outcome outcome) {
        envelope.recipients.push_back({.address = address, .notify = {}, .orcpt = {}});
        state.recipients.emplace_back();
        indices.push_back(static_cast<std::uint32_t>(indices.size()));
        settled.push_back(what);
        report.outcomes.push_back(std::move(outcome));
    }
    std::vector<std::string> lines(base::log::Level level = base::log::Level::info) {
        base::log::configure(level, base::log::Format::text);
        ::testing::internal::CaptureStderr();
        log_attempt({.id = base::MessageId{1},
                     .envelope = envelope,
                     .state = state,
                     .indices = indices,
                     .settled = settled,
                     .report = report,
                     .upstream = "office",
                     .waited = 1500ms,
                     .read = 250us,
                     .took = 20ms,
                     .test = test});
        const std::string text = ::testing::internal::GetCapturedStderr();
        std::vector<std::string> result;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find('\n', at), text.size());
            result.push_back(text.substr(at, end - at));
            at = end + 1;
        }
        return result;
    }

    smtp::Envelope envelope;
    spool::MessageState state;
    std::vector<std::uint32_t> indices;
    std::vector<Settled> settled;
    upstream::SendReport report;
    bool test = false;
};

TEST_F(DeliveryLog, ALineSaysWhoWhereAndHowLong) {
    report.stages = {.connect = 3ms, .greeting = 4ms, .transfer = 5ms};
    add("a@example.org", Settled::delivered, testing::delivered());
    EXPECT_THAT(lines(),
                ElementsAre(AllOf(HasSubstr(" info delivered id=" + base::MessageId{1}.text() +
                                            " account=shop sender=sender@example.com "
                                            "recipient=a@example.org upstream=office "
                                            "remote=\"mx.example.net [192.0.2.25]:25\""),
                                  HasSubstr(" delay=1.52 queue=1.5 read=0.00025 connect=0.003 "
                                            "greeting=0.004 transfer=0.005 "),
                                  HasSubstr(" reply=\"250 Ok\""))));
}

TEST_F(DeliveryLog, RecipientsWithOneResultShareALine) {
    add("a@example.org", Settled::delivered, testing::delivered());
    add("b@example.org", Settled::delivered, testing::delivered());
    add("c@example.org", Settled::failed, testing::refused());
    add("d@example.org", Settled::deferred, testing::deferred());
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("recipient=a@example.org,b@example.org"),
                                     HasSubstr("warning bounced"), HasSubstr("warning deferred")));
}

TEST_F(DeliveryLog, ALongListTakesSeveralLines) {
    for (int i = 0; i < 120; ++i) add("a@example.org", Settled::delivered, testing::delivered());
    EXPECT_EQ(lines().size(), 3U);
}

TEST_F(DeliveryLog, NamesEachResult) {
    add("a@example.org", Settled::expired, testing::deferred());
    add("b@example.org", Settled::deferred, testing::lost());
    add("c@example.org", Settled::uncertain, testing::lost());
    add("d@example.org", Settled::held, testing::unreachable());
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("warning expired"), HasSubstr("warning uncertain"),
                                     HasSubstr("warning uncertain"),
                                     AllOf(HasSubstr("warning deferred"),
                                           HasSubstr("next=\"when the upstream is back\""))));
}

TEST_F(DeliveryLog, SaysThatARefusedReportIsDropped) {
    envelope.reverse_path.clear();
    add("a@example.org", Settled::failed, testing::refused());
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("warning dropped")));
}

TEST_F(DeliveryLog, SaysThatATestIsNotTriedAgain) {
    test = true;
    add("a@example.org", Settled::deferred, testing::deferred());
    add("b@example.org", Settled::held, testing::unreachable());
    add("c@example.org", Settled::uncertain, testing::lost());
    add("d@example.org", Settled::delivered, testing::delivered());
    const auto never = HasSubstr(" next=never ");
    EXPECT_THAT(lines(), ElementsAre(AllOf(HasSubstr("warning dropped"), never),
                                     AllOf(HasSubstr("warning dropped"), never),
                                     AllOf(HasSubstr("warning uncertain"), never),
                                     AllOf(HasSubstr("info delivered"), never)));
}

TEST_F(DeliveryLog, IsSilentAboutSuccessWhereTheOperatorWantsWarningsOnly) {
    add("a@example.org", Settled::delivered, testing::delivered());
    EXPECT_THAT(lines(base::log::Level::warning), IsEmpty());
}

}  // namespace
}  // namespace outpost::delivery
