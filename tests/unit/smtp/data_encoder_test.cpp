#include "smtp/data_encoder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "smtp/data_decoder.hpp"

namespace outpost::smtp {
namespace {

std::string encode(const std::vector<std::string_view>& pieces) {
    DataEncoder encoder;
    std::string scratch;
    std::string out;
    for (const auto piece : pieces) out += encoder.encode(piece, scratch);
    return out += encoder.finish();
}

struct Case {
    std::string_view name;
    std::string message;
    std::string wire;
    std::string decoded;  ///< what the other side gets; empty: the message itself
};

const std::vector<Case>& cases() {
    static const std::vector<Case> all{
        {"empty", "", ".\r\n", ""},
        {"plain", "a\r\nb\r\n", "a\r\nb\r\n.\r\n", ""},
        {"dot lines", ".\r\n..\r\n.a\r\n", "..\r\n...\r\n..a\r\n.\r\n", ""},
        {"dots within", "a.\r\n .b\r\n", "a.\r\n .b\r\n.\r\n", ""},
        {"a dot alone", ".", "..\r\n.\r\n", ".\r\n"},
        {"no line end", "a", "a\r\n.\r\n", "a\r\n"},
        {"half a line end", "a\r", "a\r\n.\r\n", "a\r\n"},
        {"bare LF", "a\n.\nb\r\n", "a\r\n..\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
        {"bare LF at the end", "a\n", "a\r\n.\r\n", "a\r\n"},
        {"bare CR", "a\r.\rb\r\n", "a\r\n..\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
        {"CR CR LF", "a\r\r\n", "a\r\n\r\n.\r\n", "a\r\n\r\n"},
        {"LF CR LF", "\n\r\n", "\r\n\r\n.\r\n", "\r\n\r\n"},
    };
    return all;
}

TEST(DataEncoder, StuffsDotsAndEndsTheMessage) {
    for (const auto& [name, message, wire, decoded] : cases()) {
        SCOPED_TRACE(name);
        EXPECT_EQ(encode({message}), wire);
    }
}

TEST(DataEncoder, GivesTheSameForEverySplit) {
    for (const auto& c : cases()) {
        const std::string_view all = c.message;
        for (std::size_t i = 0; i <= all.size(); ++i) {
            for (std::size_t j = i; j <= all.size(); ++j) {
                SCOPED_TRACE(::testing::Message() << c.name << " at " << i << " and " << j);
                ASSERT_EQ(encode({all.substr(0, i), all.substr(i, j - i), all.substr(j)}), c.wire);
            }
        }
    }
}

TEST(DataEncoder, IsUndoneByTheDecoder) {
    for (const auto& [name, message, wire, decoded] : cases()) {
        SCOPED_TRACE(name);
        DataDecoder decoder({.max_size = 1000});
        std::string out;
        EXPECT_EQ(decoder.feed(wire, out), (DataDecoder::Progress{wire.size(), true}));
        EXPECT_EQ(decoder.fault(), BodyFault::none);
        EXPECT_EQ(out, decoded.empty() ? message : decoded);
    }
}

TEST(DataEncoder, PassesAPieceThroughThatNeedsNothing) {
    DataEncoder encoder;
    std::string scratch = "untouched";
    const std::string piece = "Subject: x\r\n\r\ntext.\r\n";
    EXPECT_EQ(encoder.encode(piece, scratch).data(), piece.data());
    EXPECT_EQ(scratch, "untouched");
}

TEST(DataEncoder, IsReadyForTheNextMessage) {
    DataEncoder encoder;
    std::string scratch;
    static_cast<void>(encoder.encode("a", scratch));
    EXPECT_EQ(encoder.finish(), "\r\n.\r\n");
    EXPECT_EQ(encoder.encode(".b\r\n", scratch), "..b\r\n");
    EXPECT_EQ(encoder.finish(), ".\r\n");
}

}  // namespace
}  // namespace outpost::smtp
