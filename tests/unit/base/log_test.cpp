#include "base/log.hpp"

#include <gtest/gtest.h>

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

TEST_F(LogTest, DebugIsSilentUnlessAskedFor) {
    configure(Level::info, Format::text);
    EXPECT_FALSE(enabled(Level::debug));
    configure(Level::debug, Format::text);
    EXPECT_TRUE(enabled(Level::debug));
}

}  // namespace
}  // namespace outpost::base::log
