#include "store/database.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "sqlite_harness.hpp"
#include "store/migrations.hpp"

namespace outpost::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using DatabaseTest = SqliteTest;

mode_t mode_of(const std::filesystem::path& file) {
    struct stat status{};
    EXPECT_EQ(stat(file.c_str(), &status), 0) << file;
    return status.st_mode & 0777;
}

TEST_F(DatabaseTest, IsMadeForTheOwnerAloneAndWithWhatDurabilityNeeds) {
    const mode_t before = umask(0);
    const Database database(file);
    const auto connection = database.connect();
    connection->exec("INSERT INTO counter VALUES ('k', x'00', 0)");
    umask(before);
    EXPECT_EQ(mode_of(file), 0600U);
    EXPECT_EQ(mode_of(file.string() + "-wal"), 0600U);
    EXPECT_EQ(connection->execAndGet("PRAGMA journal_mode").getString(), "wal");
    EXPECT_EQ(connection->execAndGet("PRAGMA synchronous").getInt(), 2);  // FULL
    EXPECT_EQ(connection->execAndGet("PRAGMA foreign_keys").getInt(), 1);
    EXPECT_EQ(connection->execAndGet("PRAGMA user_version").getInt(), newest_version());
}

TEST_F(DatabaseTest, OneThatOthersCouldReadIsMadePrivate) {
    {
        const Database database(file);
    }
    ASSERT_EQ(chmod(file.c_str(), 0644), 0);
    const Database database(file);
    EXPECT_EQ(mode_of(file), 0600U);
}

TEST_F(DatabaseTest, KeepsWhatIsThereWhenOpenedAgain) {
    {
        const Database database(file);
        database.connect()->exec("INSERT INTO counter VALUES ('k', x'41', 7)");
    }
    const Database database(file);
    EXPECT_EQ(database.connect()->execAndGet("SELECT state FROM counter").getString(), "A");
}

TEST_F(DatabaseTest, OneOfANewerVersionIsRefusedAndLeftAlone) {
    {
        const Database database(file);
        database.connect()->exec("PRAGMA user_version = 99");
    }
    EXPECT_THAT(failure_to_open(),
                AllOf(HasSubstr(file.string()), HasSubstr("form 99"), HasSubstr("newer version")));
    SQLite::Database raw(file.string());
    EXPECT_EQ(raw.execAndGet("PRAGMA user_version").getInt(), 99);
}

TEST_F(DatabaseTest, AStepThatFailsLeavesNothingOfItself) {
    {
        SQLite::Database raw(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        raw.exec("CREATE TABLE counter (x)");
    }
    EXPECT_THAT(failure_to_open(), AllOf(HasSubstr(file.string()), HasSubstr("already exists")));
    SQLite::Database raw(file.string());
    EXPECT_EQ(raw.execAndGet("PRAGMA user_version").getInt(), 0);
}

TEST_F(DatabaseTest, WhatIsNoDatabaseIsNamedWithWhatToDo) {
    std::ofstream(file) << std::string(8192, 'x');
    EXPECT_THAT(failure_to_open(), AllOf(HasSubstr(file.string() + " is damaged"),
                                         HasSubstr("restore it from a backup")));
}

TEST_F(DatabaseTest, ADamagedPageIsFoundAtTheStart) {
    {
        const Database database(file);
        const auto connection = database.connect();
        for (int i = 0; i < 100; ++i)
            connection->exec("INSERT INTO counter VALUES ('k" + std::to_string(i) +
                             "', zeroblob(1000), 0)");
        connection->exec("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    std::fstream damage(file, std::ios::in | std::ios::out | std::ios::binary);
    damage.seekp(4 * 4096);
    damage << std::string(4096, '\xff');
    damage.close();
    EXPECT_THAT(failure_to_open(), HasSubstr(file.string() + " is damaged"));
}

TEST_F(DatabaseTest, ADirectoryThatTakesNoFileIsNamed) {
    file = "/proc/self/outpost.db";
    EXPECT_THAT(failure_to_open(), AllOf(HasSubstr(file.string()), HasSubstr("data_dir")));
}

}  // namespace
}  // namespace outpost::store
