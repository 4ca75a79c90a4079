#include "store/pause_store.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>

#include "sqlite_harness.hpp"

namespace outpost::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

StoredPause pause(int second, std::string reason) {
    return {.since = base::WallTime(std::chrono::seconds(second)), .reason = std::move(reason)};
}

class PauseStoreTest : public SqliteTest {
  protected:
    Database database{file};
    Writer writer{database};
    PauseStore store{database, writer};
};

TEST_F(PauseStoreTest, WhatWasPausedIsThereUntilItIsResumed) {
    EXPECT_THAT(store.load(), IsEmpty());
    ASSERT_TRUE(store.put("office", pause(1, "maintenance")));
    ASSERT_TRUE(store.put("backup", pause(2, "")));
    EXPECT_THAT(store.load(),
                ElementsAre(Pair("backup", pause(2, "")), Pair("office", pause(1, "maintenance"))));
    ASSERT_TRUE(store.remove("office"));
    ASSERT_TRUE(store.remove("nowhere"));
    EXPECT_THAT(store.load(), ElementsAre(Pair("backup", pause(2, ""))));
}

TEST_F(PauseStoreTest, PausedAgainItIsSoSinceTheFirstTime) {
    ASSERT_TRUE(store.put("office", pause(1, "maintenance")));
    ASSERT_TRUE(store.put("office", pause(9, "and still")));
    EXPECT_THAT(store.load(), ElementsAre(Pair("office", pause(1, "and still"))));
}

TEST_F(PauseStoreTest, AFailureIsToldAndLeavesWhatWasThere) {
    ASSERT_TRUE(store.put("office", pause(1, "maintenance")));
    database.connect()->exec(
        "CREATE TRIGGER no_more BEFORE INSERT ON upstream_paused "
        "BEGIN SELECT RAISE(ABORT, 'disk is full'); END;"
        "CREATE TRIGGER no_less BEFORE DELETE ON upstream_paused "
        "BEGIN SELECT RAISE(ABORT, 'disk is gone'); END");
    EXPECT_THAT(store.put("backup", pause(2, "")).error(), HasSubstr("disk is full"));
    EXPECT_THAT(store.remove("office").error(), HasSubstr("disk is gone"));
    EXPECT_THAT(store.load(), ElementsAre(Pair("office", pause(1, "maintenance"))));
}

}  // namespace
}  // namespace outpost::store
