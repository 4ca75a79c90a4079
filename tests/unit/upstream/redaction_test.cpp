#include "upstream/redaction.hpp"

#include <gtest/gtest.h>

#include "base/base64.hpp"

namespace outpost::upstream {
namespace {

smtp::Reply saying(const std::string& line) {
    return {.code = 535, .status = {5, 7, 8}, .lines = {"first", line}};
}

TEST(Redaction, CutsThePasswordOutInEveryFormItWasSentIn) {
    const Redaction redaction("me", base::Secret("pa55word"));
    for (const std::string& form : {std::string("pa55word"), base::base64_encode("pa55word"),
                                    base::base64_encode(std::string_view("\0me\0pa55word", 12))}) {
        auto reply = saying("no: " + form + " twice " + form + ".");
        redaction.apply(reply);
        EXPECT_EQ(reply, saying("no: *** twice ***."));
    }
}

TEST(Redaction, EndsWhereThePasswordIsTheMaskItself) {
    const Redaction redaction("me", base::Secret("*"));
    auto reply = saying("a*b");
    redaction.apply(reply);
    EXPECT_EQ(reply, saying("a***b"));
}

TEST(Redaction, LeavesRepliesAloneWithoutAPassword) {
    auto reply = saying("no");
    Redaction("", base::Secret()).apply(reply);
    EXPECT_EQ(reply, saying("no"));
}

}  // namespace
}  // namespace outpost::upstream
