#include "upstream/provider/api_recipients.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace outpost::upstream::api {
namespace {

using message::MimeContent;
using message::NamedAddress;
using testing::ElementsAre;
using testing::IsEmpty;

using Names = std::vector<std::string>;

MimeContent header(std::vector<NamedAddress> to, std::vector<NamedAddress> cc = {}) {
    MimeContent content;
    content.to = std::move(to);
    content.cc = std::move(cc);
    return content;
}

TEST(Addressed, PutsWhoIsNotInTheHeaderInBcc) {
    const auto content = header({{"Bob", "bob@example.net"}, {"Gone", "gone@example.net"}},
                                {{"Carol", "carol@example.net"}});
    const auto who =
        addressed(content, Names{"hidden@example.org", "carol@example.net", "bob@example.net"});
    EXPECT_THAT(who.to, ElementsAre(NamedAddress{"Bob", "bob@example.net"}));
    EXPECT_THAT(who.cc, ElementsAre(NamedAddress{"Carol", "carol@example.net"}));
    EXPECT_THAT(who.bcc, ElementsAre(NamedAddress{"", "hidden@example.org"}));
}

TEST(Addressed, ComparesDomainsInAnyForm) {
    const auto content = header({{"B", "bob@BÜCHER.example"}, {"C", "Carol@Example.NET"}});
    const auto who = addressed(content, Names{"bob@xn--bcher-kva.example", "Carol@example.net",
                                              "carol@example.net", "d@[192.0.2.1]"});
    EXPECT_THAT(who.to, ElementsAre(NamedAddress{"B", "bob@xn--bcher-kva.example"},
                                    NamedAddress{"C", "Carol@example.net"}));
    EXPECT_THAT(who.bcc, ElementsAre(NamedAddress{"", "carol@example.net"},
                                     NamedAddress{"", "d@[192.0.2.1]"}));
}

TEST(Addressed, AlwaysHasSomebodyInTo) {
    const auto content = header({}, {{"Carol", "c@example.net"}, {"", "d@example.net"}});
    auto who = addressed(content, Names{"h@example.org", "c@example.net", "d@example.net"});
    EXPECT_THAT(who.to, ElementsAre(NamedAddress{"Carol", "c@example.net"}));
    EXPECT_THAT(who.cc, ElementsAre(NamedAddress{"", "d@example.net"}));
    who = addressed(content, Names{"h@example.org"});
    EXPECT_THAT(who.to, ElementsAre(NamedAddress{"", "h@example.org"}));
    EXPECT_THAT(who.bcc, IsEmpty());
}

TEST(Addressed, NamesNobodyTwice) {
    const auto content = header({{"B", "b@example.net"}}, {{"B", "b@example.net"}});
    const auto who = addressed(
        content, Names{"b@example.net", "b@EXAMPLE.net", "h@example.org", "h@example.org"});
    EXPECT_THAT(who.to, ElementsAre(NamedAddress{"B", "b@example.net"}));
    EXPECT_THAT(who.cc, IsEmpty());
    EXPECT_THAT(who.bcc, ElementsAre(NamedAddress{"", "h@example.org"}));
}

TEST(Split, KeepsWhoIsSeenTogetherAndTakesBlindOnesAlong) {
    const auto content = header({{"", "a@x.example"}}, {{"", "b@x.example"}});
    const Names names{"h1@x.example", "a@x.example", "h2@x.example", "b@x.example", "h3@x.example"};
    EXPECT_THAT(split(&content, names, {.to = 50, .cc = 10, .bcc = 2, .total = 50}),
                ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(4)));
    EXPECT_THAT(split(&content, names, {.to = 50, .cc = 50, .bcc = 50, .total = 3}),
                ElementsAre(ElementsAre(0, 1, 3), ElementsAre(2), ElementsAre(4)));
}

TEST(Split, GivesEachACallWhereNobodyIsSeen) {
    const auto content = header({});
    EXPECT_THAT(split(&content, Names{"a@x.example", "b@x.example"}, {}),
                ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(Split, KeepsTwoSpellingsOfAnAddressApart) {
    const auto content =
        header({{"", "Bob@x.example"}}, {{"", "bob@x.example"}, {"", "c@x.example"}});
    const Names names{"Bob@x.example", "c@x.example", "bob@x.example", "BOB@x.example",
                      "Bob@X.example"};
    EXPECT_THAT(split(&content, names, {.to = 50, .cc = 50, .bcc = 50, .total = 50}),
                ElementsAre(ElementsAre(0, 1, 4), ElementsAre(2), ElementsAre(3)));
}

TEST(Split, CutsTheRawFormInOrder) {
    EXPECT_THAT(split(nullptr, Names{"a", "b", "c", "d", "e"}, {.to = 1, .total = 2}),
                ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3), ElementsAre(4)));
    EXPECT_THAT(split(nullptr, Names{}, {}), IsEmpty());
}

/// Whatever the header, the envelope and the limits: everybody once, nobody over a limit, somebody
/// in To, and nobody seen who is not in the header, unless alone.
TEST(Split, HoldsItsPromisesForManyEnvelopes) {
    std::mt19937 random(4711);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    for (int round = 0; round < 3000; ++round) {
        Names names;
        MimeContent content;
        std::set<std::string> shown;
        for (std::size_t i = below(40) + 1; i > 0; --i) {
            const std::string address = "u" + std::to_string(i) + "@example.net";
            const auto kind = below(5);
            if (kind < 4) names.push_back(address);
            if (kind >= 2) continue;
            (kind == 0 ? content.to : content.cc).push_back({"N", address});
            shown.insert(address);
        }
        const RecipientLimits limits{
            .to = below(6) + 1, .cc = below(6), .bcc = below(6), .total = below(12) + 1};
        std::vector<int> times(names.size(), 0);
        for (const auto& call : split(&content, names, limits)) {
            Names called;
            for (const auto i : call) {
                ++times.at(i);
                called.push_back(names.at(i));
            }
            const auto who = addressed(content, called);
            ASSERT_FALSE(who.to.empty());
            ASSERT_LE(who.to.size(), limits.to);
            ASSERT_LE(who.cc.size(), limits.cc);
            ASSERT_LE(who.bcc.size(), limits.bcc);
            ASSERT_LE(called.size(), limits.total);
            ASSERT_EQ(who.to.size() + who.cc.size() + who.bcc.size(), called.size());
            for (const auto* list : {&who.to, &who.cc})
                for (const auto& one : *list)
                    ASSERT_TRUE(shown.contains(one.address) || called.size() == 1) << one.address;
        }
        ASSERT_THAT(times, testing::Each(1));
    }
}

}  // namespace
}  // namespace outpost::upstream::api
