#include "config/scram_value.hpp"

#include <gtest/gtest.h>

#include "files.hpp"

namespace outpost::config {
namespace {

TEST(ScramValue, ReadsRfc5803) {
    const auto value = ScramValue::parse(valid_hash);
    ASSERT_TRUE(value) << value.error();
    EXPECT_EQ(value->iterations, 4096U);
    EXPECT_EQ(value->salt.size(), 16U);
    EXPECT_EQ(value->text(), valid_hash);
}

TEST(ScramValue, SaysWhichPartIsWrongWithoutShowingIt) {
    const std::string valid = valid_hash;
    const auto changed = [&valid](const std::string& from, const std::string& to) {
        std::string text = valid;
        return text.replace(text.find(from), from.size(), to);
    };
    struct Case {
        std::string text;
        std::string_view expected;
    };
    const Case cases[] = {
        {"", "must begin with SCRAM-SHA-256$"},
        {"{SSHA}MARK", "must begin with SCRAM-SHA-256$"},
        {changed("SHA-256", "SHA-1"), "must begin with SCRAM-SHA-256$"},
        {changed("4096", "1000"), "iteration count from 4096"},
        {changed("4096", "MARK"), "iteration count"},
        {changed("4096", "99999999999"), "iteration count"},
        {changed("W22ZaJ0SNY7soEsUEjb6gQ==", ""), "salt"},
        {changed("W22Z", "W2"), "salt"},
        {changed("W22Z", "!!!!"), "salt"},
        {changed("WG5d", ""), "StoredKey"},
        {changed("wfPL", "MARKMARK"), "ServerKey"},
        {valid + "=", "ServerKey"},
        {valid.substr(0, valid.rfind(':')), "ServerKey"},
        {"SCRAM-SHA-256$4096:MARK", "StoredKey"},
    };
    for (const Case& c : cases) {
        const auto value = ScramValue::parse(c.text);
        ASSERT_FALSE(value) << c.text;
        EXPECT_NE(value.error().find(c.expected), std::string::npos) << value.error();
        EXPECT_EQ(value.error().find("MARK"), std::string::npos);
    }
}

}  // namespace
}  // namespace outpost::config
