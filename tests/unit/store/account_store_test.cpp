#include "store/account_store.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>

#include <fstream>

#include "sqlite_harness.hpp"

namespace outpost::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

base::WallTime at(int seconds) {
    return base::WallTime(std::chrono::seconds(seconds));
}

class AccountStoreTest : public SqliteTest {
  protected:
    StoredAccount shop() {
        return {.name = "shop",
                .password_hash = "SCRAM-SHA-256$...",
                .settings = {{"domains", "example.com"}, {"quota", "5/day"}},
                .created = at(1),
                .changed = at(2)};
    }

    Database database{file};
    Writer writer{database};
    AccountStore store{database, writer};
};

TEST_F(AccountStoreTest, WhatWasPutIsThereForEverybodyWhenItReturns) {
    EXPECT_THAT(store.load().accounts, IsEmpty());
    ASSERT_TRUE(store.put(shop()));
    for (const StoredAccounts& all : {store.load(), read_accounts(file).value()}) {
        ASSERT_EQ(all.accounts.size(), 1U);
        const StoredAccount& read = all.accounts.at("shop");
        EXPECT_EQ(read.name, "shop");
        EXPECT_EQ(read.password_hash, "SCRAM-SHA-256$...");
        EXPECT_THAT(read.settings,
                    ElementsAre(Pair("domains", "example.com"), Pair("quota", "5/day")));
        EXPECT_EQ(read.created, at(1));
        EXPECT_EQ(read.changed, at(2));
        EXPECT_FALSE(read.removed);
    }
}

TEST_F(AccountStoreTest, APutReplacesAllOfTheAccount) {
    ASSERT_TRUE(store.put(shop()));
    StoredAccount changed = shop();
    changed.settings = {{"rate", "1/s"}};
    changed.password_hash.clear();
    changed.removed = at(9);
    ASSERT_TRUE(store.put(changed));
    const StoredAccount read = store.load().accounts.at("shop");
    EXPECT_THAT(read.settings, ElementsAre(Pair("rate", "1/s")));
    EXPECT_EQ(read.password_hash, "");
    EXPECT_EQ(read.removed, at(9));
    ASSERT_TRUE(store.put(shop()));
    EXPECT_FALSE(store.load().accounts.at("shop").removed);
}

TEST_F(AccountStoreTest, ADisabledNameStaysSoUntilItIsEnabledOrRemoved) {
    ASSERT_TRUE(store.put(shop()));
    ASSERT_TRUE(store.set_disabled("shop", at(3)));
    ASSERT_TRUE(store.set_disabled("of-the-file", at(4)));
    ASSERT_TRUE(store.set_disabled("of-the-file", at(5)));
    EXPECT_THAT(store.load().disabled,
                ElementsAre(Pair("of-the-file", at(5)), Pair("shop", at(3))));
    ASSERT_TRUE(store.put(shop()));
    EXPECT_EQ(store.load().disabled.size(), 2U);
    ASSERT_TRUE(store.set_disabled("of-the-file", std::nullopt));
    StoredAccount removed = shop();
    removed.removed = at(6);
    ASSERT_TRUE(store.put(removed));
    EXPECT_THAT(store.load().disabled, IsEmpty());
}

TEST_F(AccountStoreTest, AFailureIsToldAndLeavesWhatWasThere) {
    ASSERT_TRUE(store.put(shop()));
    database.connect()->exec(
        "CREATE TRIGGER full BEFORE INSERT ON account_setting "
        "BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
    StoredAccount changed = shop();
    changed.settings["note"] = "new";
    const auto done = store.put(changed);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error(), HasSubstr("disk is full"));
    EXPECT_FALSE(store.load().accounts.at("shop").settings.contains("note"));
    EXPECT_EQ(store.load().accounts.at("shop").settings.size(), 2U);
}

TEST_F(SqliteTest, AFileIsReadWithoutBeingMadeOrChanged) {
    EXPECT_THAT(read_accounts(file).value().accounts, IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(file));
    {
        SQLite::Database old(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        old.exec("CREATE TABLE counter (key TEXT); PRAGMA user_version = 1");
    }
    EXPECT_THAT(read_accounts(file).value().accounts, IsEmpty());
    std::ofstream(file, std::ios::trunc) << std::string(5000, 'x');
    EXPECT_THAT(read_accounts(file).error(), HasSubstr(file.string()));
}

}  // namespace
}  // namespace outpost::store
