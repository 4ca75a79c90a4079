#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace outpost::base {
namespace {

TEST(RandomWord, IsOfLettersAndDigitsAndNeverTheSame) {
    std::set<std::string> words;
    for (int i = 0; i < 100; ++i) {
        const std::string word = random_word();
        EXPECT_EQ(word.size(), 13U);
        EXPECT_TRUE(std::ranges::all_of(word, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        })) << word;
        words.insert(word);
    }
    EXPECT_EQ(words.size(), 100U);
}

}  // namespace
}  // namespace outpost::base
