#include "smtp/bdat_decoder.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace outpost::smtp {
namespace {

using namespace std::string_literals;

struct Case {
    std::string_view name;
    std::vector<std::string> chunks;  ///< the last is LAST
    std::string message;
    BodyFault rejected = BodyFault::none;
    BodyFault normalized = BodyFault::none;
    BodyFault binary = BodyFault::none;
};

const std::vector<Case>& cases() {
    using enum BodyFault;
    static const std::vector<Case> all{
        {"one chunk", {"a\r\n"}, "a\r\n"},
        {"empty last chunk", {"a\r\n", ""}, "a\r\n"},
        {"empty message", {""}, ""},
        {"dots are nothing special", {".\r\n..\r\n", ".\r\n"}, ".\r\n..\r\n.\r\n"},
        {"CRLF over a border", {"a\r", "\nb\r\n"}, "a\r\nb\r\n"},
        {"CRLF over an empty chunk", {"a\r", "", "\n"}, "a\r\n"},
        {"no line end at the end", {"a"}, "a"},
        {"bare LF", {"a\nb\r\n"}, "a\r\nb\r\n", bare_newline},
        {"bare LF after a border", {"a", "\nb\r\n"}, "a\r\nb\r\n", bare_newline},
        {"bare CR", {"a\rb\r\n"}, "a\r\nb\r\n", bare_newline},
        {"bare CR at a border", {"a\r", "b\r\n"}, "a\r\nb\r\n", bare_newline},
        {"bare CR at the end", {"a\r"}, "a\r\n", bare_newline},
        {"bare CR before an empty end", {"a\r", ""}, "a\r\n", bare_newline},
        {"NUL", {"a\0b\r\n"s}, "", nul, nul},
        {"line as long as allowed",
         {std::string(20, 'x'), std::string(20, 'x') + "\r\n"},
         std::string(40, 'x') + "\r\n"},
        {"line too long",
         {std::string(20, 'x'), std::string(21, 'x') + "\r\n"},
         "",
         line_too_long,
         line_too_long},
        {"too big",
         {std::string(30, 'x') + "\r\n", std::string(33, 'x')},
         "",
         too_big,
         too_big,
         too_big},
    };
    return all;
}

struct Decoded {
    std::string message;  ///< empty with a fault
    BodyFault fault = BodyFault::none;
    bool operator==(const Decoded&) const = default;
};

/// Every chunk is cut at `cut` where it is that long, and followed by octets that are not its own.
Decoded decode(const BodyRules& rules, const std::vector<std::string>& chunks, std::size_t cut) {
    BdatDecoder decoder(rules);
    Decoded out;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        const auto first = chunks[i].substr(0, std::min(cut, chunks[i].size()));
        const auto second = chunks[i].substr(first.size()) + "BDAT";
        const bool last = i + 1 == chunks.size();
        decoder.begin_chunk(chunks[i].size(), last);
        auto progress = decoder.feed(first, out.message);
        EXPECT_EQ(progress.consumed, first.size());
        EXPECT_EQ(progress.chunk_complete, first.size() == chunks[i].size());
        if (!progress.chunk_complete) {
            progress = decoder.feed(second, out.message);
            EXPECT_EQ(progress.consumed, second.size() - 4);
            EXPECT_TRUE(progress.chunk_complete);
        }
        EXPECT_EQ(decoder.complete(), last);
    }
    out.fault = decoder.fault();
    if (out.fault == BodyFault::none) {
        EXPECT_EQ(decoder.size(), out.message.size());
    } else {
        out.message.clear();
    }
    return out;
}

BodyRules rules_of(BareNewlinePolicy policy, bool binary) {
    return {.max_size = 64, .max_line = 40, .newlines = policy, .binary = binary};
}

TEST(BdatDecoder, TakesChunksHoweverTheyAreCut) {
    for (const auto& c : cases()) {
        std::string joined;
        for (const auto& chunk : c.chunks) joined += chunk;
        for (std::size_t cut = 0; cut < 70; ++cut) {
            SCOPED_TRACE(::testing::Message() << c.name << ", cut at " << cut);
            const auto rejecting =
                decode(rules_of(BareNewlinePolicy::reject, false), c.chunks, cut);
            EXPECT_EQ(rejecting.fault, c.rejected);
            if (c.rejected == BodyFault::none) {
                EXPECT_EQ(rejecting.message, c.message);
            }
            EXPECT_EQ(decode(rules_of(BareNewlinePolicy::normalize, false), c.chunks, cut),
                      (Decoded{c.normalized == BodyFault::none ? c.message : "", c.normalized}));
            EXPECT_EQ(decode(rules_of(BareNewlinePolicy::reject, true), c.chunks, cut),
                      (Decoded{c.binary == BodyFault::none ? joined : "", c.binary}));
        }
    }
}

TEST(BdatDecoder, KnowsAtTheCommandThatAMessageGetsTooBig) {
    BdatDecoder decoder({.max_size = 100});
    std::string sink;
    decoder.begin_chunk(60, false);
    EXPECT_EQ(decoder.feed(std::string(60, 'x'), sink).consumed, 60U);
    EXPECT_EQ(decoder.fault(), BodyFault::none);
    decoder.begin_chunk(41, true);
    EXPECT_EQ(decoder.fault(), BodyFault::too_big);
    EXPECT_EQ(decoder.feed(std::string(50, 'x'), sink), (BdatDecoder::Progress{41, true}));
    EXPECT_LE(sink.size(), 100U);
}

TEST(BdatDecoder, TakesTheLargestSizeWithoutOverflow) {
    BdatDecoder decoder({.max_size = 100});
    std::string sink;
    decoder.begin_chunk(3, false);
    static_cast<void>(decoder.feed("abc", sink));
    decoder.begin_chunk(std::numeric_limits<std::uint64_t>::max(), true);
    EXPECT_EQ(decoder.fault(), BodyFault::too_big);
    EXPECT_EQ(decoder.feed("abc", sink), (BdatDecoder::Progress{3, false}));
    EXPECT_FALSE(decoder.complete());
}

}  // namespace
}  // namespace outpost::smtp
