#include "base/log.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace outpost::base::log {
namespace {

class LogTest : public testing::Test {
  protected:
    ~LogTest() override { configure(Level::info, Format::text); }

    /// What one line says after the time.
    static std::string line(Format format, std::string_view event,
                            std::initializer_list<Field> fields) {
        configure(Level::info, format);
        testing::internal::CaptureStderr();
        write(Level::info, event, fields);
        return testing::internal::GetCapturedStderr();
    }
};

TEST_F(LogTest, TextQuotesOnlyWhatNeedsIt) {
    const auto out = line(Format::text, "delivered",
                          {{"id", std::string("ABC")}, {"reply", "250 ok"}, {"size", 2048}});
    EXPECT_TRUE(out.ends_with(" info delivered id=ABC reply=\"250 ok\" size=2048\n")) << out;
}

TEST_F(LogTest, APeersWordsCannotForgeALine) {
    const auto out = line(Format::text, "deferred", {{"reply", "451 a\r\nerror b=\"c\""}});
    EXPECT_TRUE(out.ends_with(R"(reply="451 a\u000d\u000aerror b=\"c\"")"
                              "\n"))
        << out;
}

TEST_F(LogTest, JsonIsOneObjectALine) {
    const auto out = line(Format::json, "queued", {{"id", "A\"B"}, {"tls", true}, {"n", 1.5}});
    EXPECT_TRUE(out.ends_with(R"("level":"info","event":"queued","id":"A\"B","tls":true,"n":1.5})"
                              "\n"))
        << out;
}

TEST_F(LogTest, RealNumbersArePlain) {
    const auto out =
        line(Format::text, "e",
             {{"a", 4.6e-05}, {"b", 0.002}, {"c", 0.0}, {"d", 1234567.25}, {"e", 100.0}});
    EXPECT_TRUE(out.ends_with(" a=0.000046 b=0.002 c=0 d=1234567.25 e=100\n")) << out;
}

/// What a line looks like if the variable names this file, and if it names another.
TEST_F(LogTest, TheJournalIsToldThePriorityAndKeepsTheTimeItself) {
    testing::internal::CaptureStderr();
    struct stat file{};
    ASSERT_EQ(fstat(STDERR_FILENO, &file), 0);
    const auto stream = [&](auto inode) {
        return std::to_string(file.st_dev) + ":" + std::to_string(inode);
    };
    setenv("JOURNAL_STREAM", stream(file.st_ino).c_str(), 1);
    configure(Level::debug, Format::text);
    debug("a");
    info("b");
    warning("c");
    error("d", {{"k", 1}});
    setenv("JOURNAL_STREAM", stream(file.st_ino + 1).c_str(), 1);
    configure(Level::info, Format::text);
    info("f");
    unsetenv("JOURNAL_STREAM");
    const auto out = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(out.starts_with("<7>debug a\n<6>info b\n<4>warning c\n<3>error d k=1\n2")) << out;
}

TEST_F(LogTest, DebugIsSilentUnlessAskedFor) {
    configure(Level::info, Format::text);
    EXPECT_FALSE(enabled(Level::debug));
    configure(Level::debug, Format::text);
    EXPECT_TRUE(enabled(Level::debug));
}

}  // namespace
}  // namespace outpost::base::log
