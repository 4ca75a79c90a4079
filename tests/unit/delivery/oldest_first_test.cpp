#include "delivery/oldest_first.hpp"

#include <gmock/gmock.h>

namespace outpost::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::uint64_t> taken(OldestFirst& all) {
    std::vector<std::uint64_t> ids;
    while (const auto found = all.next()) ids.push_back(found->id.value);
    return ids;
}

TEST(OldestFirst, MergesWhatWasFoundInParts) {
    OldestFirst all;
    all.add({{.id = {7}}, {.id = {1}}, {.id = {4}}});
    all.add({});
    all.add({{.id = {5}}, {.id = {2}}});
    all.add({{.id = {3}}});
    EXPECT_THAT(taken(all), ElementsAre(1, 2, 3, 4, 5, 7));
    EXPECT_THAT(taken(all), IsEmpty());
}

TEST(OldestFirst, KeepsBothPartsOfAMessageAndWhereTheyWere) {
    OldestFirst all;
    all.add({{.id = {1}, .handle = spool::Queue::Handle{8}, .desk = 0}});
    all.add({{.id = {1}, .handle = spool::Queue::Handle{9}, .desk = 1}});
    std::uint32_t seen = 0;
    while (const auto found = all.next())
        seen += found->desk == static_cast<std::uint32_t>(found->handle) - 8 ? 1 : 0;
    EXPECT_EQ(seen, 2U);
}

}  // namespace
}  // namespace outpost::delivery
