#include "smtp/data_decoder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outpost::smtp {
namespace {

using namespace std::string_literals;

struct Decoded {
    std::string message;  ///< empty with a fault
    std::string left;     ///< what follows the end
    BodyFault fault = BodyFault::none;
    bool complete = false;
    std::uint64_t size = 0;
    bool operator==(const Decoded&) const = default;
};

void PrintTo(const Decoded& decoded, std::ostream* out) {
    *out << "message " << ::testing::PrintToString(decoded.message) << ", left "
         << ::testing::PrintToString(decoded.left) << ", fault " << static_cast<int>(decoded.fault)
         << ", complete " << decoded.complete << ", size " << decoded.size;
}

Decoded decode(const BodyRules& rules, const std::vector<std::string_view>& pieces) {
    DataDecoder decoder(rules);
    Decoded out;
    for (const auto piece : pieces) {
        if (out.complete) {
            out.left += piece;
            continue;
        }
        const auto progress = decoder.feed(piece, out.message);
        out.complete = progress.complete;
        out.left += piece.substr(progress.consumed);
    }
    out.fault = decoder.fault();
    out.size = decoder.size();
    if (out.fault != BodyFault::none) out.message.clear();
    return out;
}

BodyRules rules_of(BareNewlinePolicy policy) {
    return {.max_size = 64, .max_line = 40, .newlines = policy, .binary = false};
}

struct Case {
    std::string_view name;
    std::string input;
    std::string message;  ///< as normalised; what `reject` gives too where it finds no fault
    std::string left;
    BodyFault rejected = BodyFault::none;    ///< with the policy reject
    BodyFault normalized = BodyFault::none;  ///< with the policy normalize
    bool complete = true;
};

const std::vector<Case>& cases() {
    using enum BodyFault;
    static const std::vector<Case> all{
        {"empty message", ".\r\n", "", ""},
        {"one line", "a\r\n.\r\n", "a\r\n", ""},
        {"no end yet", "a\r\n.\r", "a\r\n", "", none, none, false},
        {"nothing", "", "", "", none, none, false},
        {"pipelined commands stay", "a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n"},
        {"a NUL behind the end is not ours", "a\r\n.\r\n\0"s, "a\r\n", "\0"s},
        {"dot taken off", "..\r\n.a\r\n..b\r\n.\r\n", ".\r\na\r\n.b\r\n", ""},
        {"dot within a line", "a.\r\n .\r\na..b\r\n.\r\n", "a.\r\n .\r\na..b\r\n", ""},
        {"blank lines", "\r\n\r\n.\r\n", "\r\n\r\n", ""},
        {"dot and blank", ". \r\n.\r\n", " \r\n", ""},
        {"octets over 127", "\xC3\xB6\xFF\r\n.\r\n", "\xC3\xB6\xFF\r\n", ""},

        {"LF dot LF is no end", "a\n.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n", "", bare_newline},
        {"LF dot CRLF is no end", "a\n.\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n", "", bare_newline},
        {"CRLF dot LF is no end", "a\r\n.\nb\r\n.\r\n", "a\r\n\r\nb\r\n", "", bare_newline},
        {"CR dot CR is no end", "a\r.\rb\r\n.\r\n", "a\r\n.\r\nb\r\n", "", bare_newline},
        {"CRLF dot CR is no end", "a\r\n.\rb\r\n.\r\n", "a\r\n\r\nb\r\n", "", bare_newline},
        {"CR dot CRLF is no end", "a\r.\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n", "", bare_newline},
        {"LF dot dot", "a\n..\r\n.\r\n", "a\r\n..\r\n", "", bare_newline},
        {"CRLF dot CR CRLF is no end", "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\n\r\nb\r\n", "",
         bare_newline},
        {"bare LF", "a\nb\r\n.\r\n", "a\r\nb\r\n", "", bare_newline},
        {"bare LF first", "\n\r\n.\r\n", "\r\n\r\n", "", bare_newline},
        {"only bare LF", "\n\n\n\n", "\r\n\r\n\r\n\r\n", "", bare_newline, none, false},
        {"bare CR", "a\rb\r\n.\r\n", "a\r\nb\r\n", "", bare_newline},
        {"only bare CR", "\r\r\r", "\r\n\r\n", "", bare_newline, none, false},
        {"CR CR LF", "a\r\r\n.\r\n", "a\r\n\r\n", "", bare_newline},
        {"LF CR", "a\n\rb\r\n.\r\n", "a\r\n\r\nb\r\n", "", bare_newline},
        {"after a fault on to the real end", "a\nb\r\n\n.\r\n..\r\n.\r\nQUIT\r\n",
         "a\r\nb\r\n\r\n.\r\n.\r\n", "QUIT\r\n", bare_newline},

        {"NUL", "a\0b\r\n.\r\n"s, "", "", nul, nul},
        {"NUL and bare LF", "a\0b\nc\r\n.\r\n"s, "", "", bare_newline, nul},
        {"line as long as allowed", std::string(40, 'x') + "\r\n.\r\n",
         std::string(40, 'x') + "\r\n", ""},
        {"line too long", std::string(41, 'x') + "\r\n.\r\n", "", "", line_too_long, line_too_long},
        {"the dot taken off does not count", "." + std::string(40, 'x') + "\r\n.\r\n",
         std::string(40, 'x') + "\r\n", ""},
        {"bare LF ends a long line",
         std::string(30, 'x') + "\n" + std::string(30, 'x') + "\r\n.\r\n",
         std::string(30, 'x') + "\r\n" + std::string(30, 'x') + "\r\n", "", bare_newline},
        {"as big as allowed", std::string(30, 'x') + "\r\n" + std::string(30, 'x') + "\r\n.\r\n",
         std::string(30, 'x') + "\r\n" + std::string(30, 'x') + "\r\n", ""},
        {"too big", std::string(30, 'x') + "\r\n" + std::string(31, 'x') + "\r\n.\r\nX", "", "X",
         too_big, too_big},
        {"too big once normalised",
         std::string(30, 'x') + "\n" + std::string(32, 'x') + "\r\n.\r\n", "", "", too_big,
         too_big},
        {"too big goes before the rest", "\0\n"s + std::string(70, 'x') + "\r\n.\r\n", "", "",
         too_big, too_big},
    };
    return all;
}

Decoded expectation(const Case& c, BareNewlinePolicy policy) {
    const auto fault = policy == BareNewlinePolicy::reject ? c.rejected : c.normalized;
    return {fault == BodyFault::none ? c.message : "", c.left, fault, c.complete, 0};
}

TEST(DataDecoder, DecodesUnderBothPolicies) {
    for (const auto policy : {BareNewlinePolicy::reject, BareNewlinePolicy::normalize}) {
        for (const auto& c : cases()) {
            SCOPED_TRACE(c.name);
            auto decoded = decode(rules_of(policy), {c.input});
            if (decoded.fault == BodyFault::none) {
                EXPECT_EQ(decoded.size, decoded.message.size());
            }
            decoded.size = 0;
            EXPECT_EQ(decoded, expectation(c, policy));
        }
    }
}

TEST(DataDecoder, GivesTheSameForEverySplit) {
    for (const auto policy : {BareNewlinePolicy::reject, BareNewlinePolicy::normalize}) {
        for (const auto& c : cases()) {
            const std::string_view all = c.input;
            const auto whole = decode(rules_of(policy), {all});
            for (std::size_t i = 0; i <= all.size(); ++i) {
                for (std::size_t j = i; j <= all.size(); ++j) {
                    SCOPED_TRACE(::testing::Message() << c.name << " at " << i << " and " << j);
                    ASSERT_EQ(decode(rules_of(policy),
                                     {all.substr(0, i), all.substr(i, j - i), all.substr(j)}),
                              whole);
                }
            }
        }
    }
}

TEST(DataDecoder, GivesTheSameOctetByOctet) {
    for (const auto& c : cases()) {
        SCOPED_TRACE(c.name);
        std::vector<std::string_view> octets;
        for (std::size_t i = 0; i < c.input.size(); ++i)
            octets.push_back(std::string_view(c.input).substr(i, 1));
        const auto rules = rules_of(BareNewlinePolicy::reject);
        EXPECT_EQ(decode(rules, octets), decode(rules, {c.input}));
    }
}

TEST(DataDecoder, LetsTheSinkBeEmptiedBetweenCalls) {
    DataDecoder decoder({.max_size = 1000});
    std::string sink;
    std::string all;
    for (const std::string_view piece : {"abc\r", "\n..def", "\r\n.", "\r\n"}) {
        EXPECT_EQ(decoder.feed(piece, sink).consumed, piece.size());
        all += sink;
        sink.clear();
    }
    EXPECT_EQ(all, "abc\r\n.def\r\n");
    EXPECT_EQ(decoder.size(), all.size());
}

TEST(DataDecoder, NeverStoresMoreThanTheMaximum) {
    DataDecoder decoder({.max_size = 10});
    std::string sink;
    for (int i = 0; i < 100; ++i) static_cast<void>(decoder.feed("abc\r\n", sink));
    EXPECT_LE(sink.size(), 10U);
    EXPECT_EQ(decoder.fault(), BodyFault::too_big);
    EXPECT_EQ(decoder.size(), 500U);
}

TEST(DataDecoder, TakesLinesUpTo64KiBByDefault) {
    const std::string line(64UL << 10, 'x');
    EXPECT_EQ(decode({.max_size = 1UL << 20}, {line, "\r\n.\r\n"}).fault, BodyFault::none);
    EXPECT_EQ(decode({.max_size = 1UL << 20}, {line, "x\r\n.\r\n"}).fault,
              BodyFault::line_too_long);
}

}  // namespace
}  // namespace outpost::smtp
