#include "account/password.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>

namespace outpost::account {
namespace {

TEST(RandomPassword, IsLongAndOfLettersAndDigitsThatCannotBeMistaken) {
    std::set<std::string> seen;
    std::set<char> letters;
    for (int i = 0; i < 500; ++i) {
        const std::string password(random_password().reveal());
        EXPECT_EQ(password.size(), 24U);
        EXPECT_TRUE(seen.insert(password).second);
        for (const char c : password) {
            EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)));
            EXPECT_EQ(std::string_view("lIO01o").find(c), std::string_view::npos) << c;
            letters.insert(c);
        }
    }
    EXPECT_EQ(letters.size(), 56U);
}

}  // namespace
}  // namespace outpost::account
