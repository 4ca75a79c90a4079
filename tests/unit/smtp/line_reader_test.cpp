#include "smtp/line_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outpost::smtp {
namespace {

using namespace std::string_literals;

/// All that a reader makes of `pieces`, a line as its text and a refusal as `!what`.
std::vector<std::string> read(const std::vector<std::string_view>& pieces, std::size_t limit) {
    ReceiveBuffer buffer;
    LineReader reader(limit);
    std::vector<std::string> out;
    for (const auto piece : pieces) {
        buffer.append(piece);
        for (;;) {
            const auto event = reader.next(buffer);
            if (std::holds_alternative<NeedMore>(event)) break;
            if (const auto* line = std::get_if<Line>(&event)) out.emplace_back(line->text);
            if (const auto* bad = std::get_if<BadLine>(&event))
                out.push_back("!"s.append(describe(bad->fault)));
        }
    }
    return out;
}

struct Case {
    std::string_view name;
    std::string input;
    std::vector<std::string> expected;
};

const std::vector<Case>& cases() {
    static const std::vector<Case> all{
        {"nothing", "", {}},
        {"one line", "EHLO a\r\n", {"EHLO a"}},
        {"empty line", "\r\n", {""}},
        {"unfinished line", "NOOP\r\nQUIT", {"NOOP"}},
        {"unfinished line end", "QUIT\r", {}},
        {"pipelined", "MAIL\r\nRCPT\r\nDATA\r\n", {"MAIL", "RCPT", "DATA"}},
        {"as long as allowed", "12345678901234\r\n", {"12345678901234"}},
        {"one too long", "123456789012345\r\nNOOP\r\n", {"!line too long", "NOOP"}},
        {"much too long", std::string(100, 'x') + "\r\nNOOP\r\n", {"!line too long", "NOOP"}},
        {"CR as the last octet allowed", "123456789012345\rx\r\nA\r\n", {"!line too long", "A"}},
        {"too long and never ended", std::string(100, 'x'), {"!line too long"}},
        {"bare LF", "A\nB\r\nC\r\n", {"!LF without CR", "C"}},
        {"bare LF first", "\nB\r\nC\r\n", {"!LF without CR", "C"}},
        {"many bare LF", "A\nB\n\n\nC\r\nD\r\n", {"!LF without CR", "D"}},
        {"bare LF and more than the limit",
         "A\n" + std::string(90, 'x') + "\r\nD\r\n",
         {"!LF without CR", "D"}},
        {"bare CR", "A\rB\r\nC\r\n", {"!CR without LF", "C"}},
        {"two CR before LF", "A\r\r\nC\r\n", {"!CR without LF", "C"}},
        {"bare CR, then bare LF", "A\rB\nC\r\nD\r\n", {"!CR without LF", "D"}},
        {"bare LF, then CR", "A\nB\rC\r\nD\r\n", {"!LF without CR", "D"}},
        {"bare LF, then CR CR LF", "A\nB\r\r\nD\r\n", {"!LF without CR", "D"}},
        {"NUL", "A\0B\r\nC\r\n"s, {"!NUL octet", "C"}},
        {"NUL before bare CR", "A\0\rB\r\nC\r\n"s, {"!NUL octet", "C"}},
        {"NUL in a line too long",
         "A\0"s + std::string(90, 'x') + "\r\nC\r\n",
         {"!NUL octet", "C"}},
        {"two refusals", "A\nB\r\nC\rD\r\nE\r\n", {"!LF without CR", "!CR without LF", "E"}},
        {"octets over 127", "\xC3\xB6\xFF\r\n", {"\xC3\xB6\xFF"}},
    };
    return all;
}

constexpr std::size_t limit = 16;

TEST(LineReader, SplitsAtCrlfAlone) {
    for (const auto& [name, input, expected] : cases()) {
        SCOPED_TRACE(name);
        EXPECT_EQ(read({input}, limit), expected);
    }
}

TEST(LineReader, GivesTheSameForEverySplit) {
    for (const auto& [name, input, expected] : cases()) {
        const std::string_view all = input;
        for (std::size_t i = 0; i <= all.size(); ++i) {
            for (std::size_t j = i; j <= all.size(); ++j) {
                SCOPED_TRACE(::testing::Message() << name << " split at " << i << " and " << j);
                ASSERT_EQ(read({all.substr(0, i), all.substr(i, j - i), all.substr(j)}, limit),
                          expected);
            }
        }
    }
}

TEST(LineReader, LeavesWhatFollowsALineInTheBuffer) {
    ReceiveBuffer buffer;
    LineReader reader;
    buffer.append("BDAT 4\r\nab\nc");
    EXPECT_EQ(reader.next(buffer), LineEvent(Line{"BDAT 4"}));
    EXPECT_EQ(buffer.data(), "ab\nc");
}

TEST(LineReader, TakesItsLimitFromTheNextLineOn) {
    ReceiveBuffer buffer;
    LineReader reader;
    const std::string long_line(LineReader::command_limit, 'x');
    reader.set_limit(LineReader::auth_limit);
    buffer.append(long_line + "\r\n");
    EXPECT_EQ(reader.next(buffer), LineEvent(Line{long_line}));
    reader.set_limit(LineReader::command_limit);
    buffer.append(long_line + "\r\n");
    EXPECT_EQ(reader.next(buffer), LineEvent(BadLine{LineFault::too_long}));
    EXPECT_EQ(reader.next(buffer), LineEvent(NeedMore{}));
}

TEST(LineReader, ForgetsABegunLineOnReset) {
    ReceiveBuffer buffer;
    LineReader reader;
    buffer.append("x\ny");
    EXPECT_EQ(reader.next(buffer), LineEvent(BadLine{LineFault::bare_lf}));
    buffer.clear();
    reader.reset();
    buffer.append("EHLO a\r\n");
    EXPECT_EQ(reader.next(buffer), LineEvent(Line{"EHLO a"}));
}

TEST(ReceiveBuffer, KeepsItsContentsWhenItMovesAndGrows) {
    ReceiveBuffer buffer;
    std::string expected;
    for (int i = 0; i < 2000; ++i) {
        const std::string piece(static_cast<std::size_t>(i % 37), static_cast<char>('a' + i % 26));
        buffer.append(piece);
        expected += piece;
        const auto used = std::min<std::size_t>(expected.size(), static_cast<std::size_t>(i % 31));
        buffer.consume(used);
        expected.erase(0, used);
        ASSERT_EQ(buffer.data(), expected);
    }
}

TEST(ReceiveBuffer, KeepsTheRoomThatItHas) {
    ReceiveBuffer buffer;
    const char* const storage = buffer.prepare(4096).data();
    for (int i = 0; i < 100; ++i) {
        buffer.append(std::string(1000, 'x'));
        buffer.consume(1000);
        EXPECT_EQ(buffer.prepare(4096).data(), storage);
    }
}

TEST(ReceiveBuffer, GivesItsMemoryBackOnlyWhenEmpty) {
    ReceiveBuffer buffer;
    buffer.append("abc");
    buffer.release();
    EXPECT_EQ(buffer.data(), "abc");
    buffer.consume(3);
    buffer.release();
    EXPECT_TRUE(buffer.empty());
    buffer.append("def");
    EXPECT_EQ(buffer.data(), "def");
}

TEST(ReceiveBuffer, IsEmptyAndUsableAfterAMove) {
    ReceiveBuffer buffer;
    buffer.append("abc");
    ReceiveBuffer other = std::move(buffer);
    EXPECT_EQ(other.data(), "abc");
    buffer.append("x");  // NOLINT(bugprone-use-after-move): a moved-from buffer is an empty one
    EXPECT_EQ(buffer.data(), "x");
}

}  // namespace
}  // namespace outpost::smtp
