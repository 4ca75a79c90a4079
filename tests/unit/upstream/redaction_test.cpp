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

TEST(Redaction, CutsOutWhatIsLeftOfASecretAtTheEnd) {
    Redaction redaction;
    redaction.add(base::Secret("SG.0123456789"));
    const auto after = [&](const std::string& line) {
        auto reply = saying(line);
        redaction.apply(reply);
        return reply.lines.back();
    };
    EXPECT_EQ(after("bad key SG.0123456..."), "bad key ***...");
    EXPECT_EQ(after("bad key SG.012"), "bad key ***");
    EXPECT_EQ(after("bad key SG.012345678"), "bad key ***");
    EXPECT_EQ(after("bad key " + base::base64_encode("SG.0123456789").substr(0, 9) + "..."),
              "bad key ***...");
    EXPECT_EQ(after("bad key SG.01..."), "bad key SG.01...");
    EXPECT_EQ(after("SG.012345 is bad"), "SG.012345 is bad");
    EXPECT_EQ(after(""), "");
}

TEST(Redaction, LeavesRepliesAloneWithoutAPassword) {
    auto reply = saying("no");
    Redaction("", base::Secret()).apply(reply);
    EXPECT_EQ(reply, saying("no"));
}

}  // namespace
}  // namespace outpost::upstream
