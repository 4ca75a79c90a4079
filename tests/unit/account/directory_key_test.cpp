#include "account/directory_key.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

namespace outpost::account {
namespace {

struct DirectoryKeyTest : testing::Test {
    DirectoryKeyTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "outpost-XXXXXX").string();
        directory = mkdtemp(pattern.data());
    }
    ~DirectoryKeyTest() override { std::filesystem::remove_all(directory); }
    std::filesystem::path directory;
};

TEST_F(DirectoryKeyTest, IsMadeOnceAndForTheOwnerAlone) {
    const auto file = directory / "data" / "directory.key";
    const auto made = directory_key(file);
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(made->size(), 32U);
    EXPECT_EQ(directory_key(file), made);
    struct stat status{};
    ASSERT_EQ(stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(DirectoryKeyTest, IsMadeAgainWhereACrashCutItShort) {
    const auto file = directory / "directory.key";
    ASSERT_TRUE(directory_key(file));
    std::filesystem::resize_file(file, 7);
    const auto again = directory_key(file);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->size(), 32U);
}

TEST_F(DirectoryKeyTest, AFailureNamesTheFile) {
    const auto made = directory_key("/proc/outpost/directory.key");
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().find("/proc/outpost/directory.key"), std::string::npos) << made.error();
}

}  // namespace
}  // namespace outpost::account
