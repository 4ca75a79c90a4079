#include "message/dsn_policy.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace outpost::message {
namespace {

using Event = DeliveryEvent;
using Due = std::optional<DsnAction>;

struct Case {
    std::string name;
    smtp::Notify notify;
    /// failed, delayed, relayed with DSN, relayed without DSN, delivered, relayed with BY
    std::array<Due, 6> due;
};

constexpr std::array events{Event::failed,           Event::delayed,
                            Event::relayed_with_dsn, Event::relayed_without_dsn,
                            Event::delivered,        Event::relayed_deliver_by};

class DsnPolicy : public testing::TestWithParam<Case> {
  protected:
    void SetUp() override {
        envelope_.reverse_path = "s@x.example";
        envelope_.recipients = {{"r@y.example", GetParam().notify, ""}};
    }
    smtp::Envelope envelope_;
};

TEST_P(DsnPolicy, FollowsNotify) {
    for (std::size_t i = 0; i < events.size(); ++i)
        EXPECT_EQ(report_due(envelope_, envelope_.recipients[0], events[i]), GetParam().due[i])
            << "event " << i;
}

TEST_P(DsnPolicy, NeverReportsToANullReversePath) {
    envelope_.reverse_path.clear();
    for (const Event event : events)
        EXPECT_EQ(report_due(envelope_, envelope_.recipients[0], event), std::nullopt);
}

constexpr auto no = std::nullopt;
constexpr auto relayed = DsnAction::relayed;
INSTANTIATE_TEST_SUITE_P(
    Cases, DsnPolicy,
    testing::Values(
        Case{"NothingGiven", {}, {DsnAction::failed, DsnAction::delayed, no, no, no, relayed}},
        Case{"Never", {.given = true, .never = true}, {no, no, no, no, no, no}},
        Case{"Failure",
             {.given = true, .failure = true},
             {DsnAction::failed, no, no, no, no, relayed}},
        Case{
            "Delay", {.given = true, .delay = true}, {no, DsnAction::delayed, no, no, no, relayed}},
        Case{"Success",
             {.given = true, .success = true},
             {no, no, no, relayed, DsnAction::delivered, relayed}},
        Case{"All",
             {.given = true, .success = true, .failure = true, .delay = true},
             {DsnAction::failed, DsnAction::delayed, no, relayed, DsnAction::delivered, relayed}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace outpost::message
