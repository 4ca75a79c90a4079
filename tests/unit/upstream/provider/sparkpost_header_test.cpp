#include "upstream/provider/sparkpost_header.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "message/header_reader.hpp"

namespace outpost::upstream {
namespace {

/// The Subject of the message with this one.
std::string hidden(const std::string& subject) {
    const auto out = hide_substitutions("Subject: " + subject + "\r\n\r\n{{body}}\r\n");
    if (!out) return out.error().text;
    const auto end = out->find("\r\n\r\n");
    EXPECT_EQ(out->substr(end), "\r\n\r\n{{body}}\r\n");
    return out->substr(9, end - 9);
}

TEST(HideSubstitutions, LeavesAMessageWithoutThemAlone) {
    for (const std::string message :
         {"Subject: { {x} }\r\n\r\n{{x}}\r\n", "To: a@test\r\n\r\n", "\r\n{{x}}", "", "no header"})
        EXPECT_EQ(hide_substitutions(message), message);
}

TEST(HideSubstitutions, EncodesTheWordThatOpensOne) {
    EXPECT_EQ(hidden("{{x}}"), "=?utf-8?Q?=7B=7Bx=7D=7D?=");
    EXPECT_EQ(hidden("Hi {{ name }}, you"), "Hi =?utf-8?Q?=7B=7B?= name }}, you");
    EXPECT_EQ(hidden("a\r\n {{x}}\tb"), "a\r\n =?utf-8?Q?=7B=7Bx=7D=7D?=\tb");
    EXPECT_EQ(hidden("caf\xC3\xA9{{"), "=?utf-8?Q?caf=C3=A9=7B=7B?=");
}

TEST(HideSubstitutions, KeepsTheSpaceBetweenEncodedWords) {
    EXPECT_EQ(hidden("{{a b {{c d"), "=?utf-8?Q?=7B=7Ba?= b =?utf-8?Q?=7B=7Bc?= d");
    EXPECT_EQ(hidden("{{a  {{b"), "=?utf-8?Q?=7B=7Ba?=  =?utf-8?Q?__=7B=7Bb?=");
    EXPECT_EQ(hidden("=?utf-8?Q?x?= {{a"), "=?utf-8?Q?x?= =?utf-8?Q?_=7B=7Ba?=");
    EXPECT_EQ(hidden("{{a =?utf-8?B?eA==?="), "=?utf-8?Q?=7B=7Ba_?= =?utf-8?B?eA==?=");
}

TEST(HideSubstitutions, HidesThemInsideEncodedWords) {
    EXPECT_EQ(hidden("=?utf-8?Q?{{x}}?="), "=?utf-8?Q?=7B=7Bx}}?=");
    EXPECT_EQ(hidden("=?utf-8?Q?{{{x?="), "=?utf-8?Q?=7B=7B{x?=");
}

TEST(HideSubstitutions, FoldsLongWordsBetweenCharacters) {
    std::string word = "{{";
    for (int i = 0; i < 100; ++i) word += "\xE2\x82\xAC";
    const auto out = hidden(word);
    std::size_t from = 0;
    std::size_t euros = 0;
    while (from < out.size()) {
        const auto end = std::min(out.find("\r\n ", from), out.size());
        const auto line = out.substr(from, end - from);
        EXPECT_LE(line.size(), 75U);
        EXPECT_TRUE(line.starts_with("=?utf-8?Q?") && line.ends_with("?="));
        for (auto at = line.find("=E2=82=AC"); at != std::string::npos;
             at = line.find("=E2=82=AC", at + 1))
            ++euros;
        from = end + 3;
    }
    EXPECT_EQ(euros, 100U);
}

TEST(HideSubstitutions, TakesUnstructuredFieldsOnly) {
    EXPECT_TRUE(hide_substitutions("X-Note: {{x}}\r\nComments: {{x}}\r\n\r\n"));
    for (const std::string field :
         {"To: \"{{x}}\" <a@test>", "Message-ID: <{{x}}@test>",
          "List-Unsubscribe: <http://t/{{x}}>", "Content-Type: text/plain; name=\"{{x}}\""}) {
        const auto out = hide_substitutions("Subject: x\r\n" + field + "\r\n\r\n");
        ASSERT_FALSE(out) << field;
        EXPECT_EQ(out.error().status.text(), "5.6.0");
        EXPECT_NE(out.error().text.find("{{ in the field " + field.substr(0, field.find(':'))),
                  std::string::npos)
            << out.error().text;
    }
}

TEST(HideSubstitutions, DoesNotBreakASignature) {
    const std::string signature = "DKIM-Signature: v=1; h=subject\r\n";
    EXPECT_FALSE(hide_substitutions(signature + "Subject: {{x}}\r\n\r\n"));
    EXPECT_TRUE(hide_substitutions(signature + "Subject: x\r\n\r\n"));
}

TEST(HideSubstitutions, LeavesNothingBehind) {
    const auto out = hide_substitutions(
        "Subject: {{{{ {{ =?utf-8?Q?{{{{?= {{\r\n {{}}\r\nX-A: {{\r\nX-B:{{\r\n\r\n");
    ASSERT_TRUE(out);
    EXPECT_EQ(out->find("{{"), std::string::npos) << *out;
    EXPECT_FALSE(message::read_header(*out).problem);
    EXPECT_EQ(message::read_header(*out).fields.size(), 3U);
}

}  // namespace
}  // namespace outpost::upstream
