#include "smtp/data_encoder.hpp"

#include <utility>

#include "smtp/octet_cursor.hpp"

namespace outpost::smtp {

/// Copies a piece only from its first change on.
class DataEncoder::Rewriter {
  public:
    Rewriter(std::string_view piece, std::string& scratch)
        : cursor(piece), piece_(piece), scratch_(scratch) {}

    /// Puts `octets` before the cursor.
    void insert(std::string_view octets) {
        if (!std::exchange(changed_, true)) {
            scratch_.clear();
            scratch_.reserve(piece_.size() + 64);
        }
        scratch_.append(cursor.pending()).append(octets);
        cursor.skip_to(cursor.at);
    }
    [[nodiscard]] std::string_view result() {
        if (!changed_) return piece_;
        scratch_.append(cursor.pending());
        return scratch_;
    }

    OctetCursor cursor;

  private:
    std::string_view piece_;
    std::string& scratch_;
    bool changed_ = false;
};

std::string_view DataEncoder::encode(std::string_view piece, std::string& scratch) {
    if (piece.empty()) return piece;
    Rewriter rewriter(piece, scratch);
    while (!rewriter.cursor.done()) step(rewriter);
    return rewriter.result();
}

void DataEncoder::step(Rewriter& rewriter) {
    OctetCursor& cursor = rewriter.cursor;
    switch (std::exchange(state_, State::text)) {
        case State::cr:
            state_ = State::line_start;
            if (*cursor.at == '\n') {
                ++cursor.at;
            } else {
                rewriter.insert("\n");
            }
            return;
        case State::line_start:
            if (*cursor.at == '.') rewriter.insert(".");
            break;
        case State::text: break;
    }
    const char* const cr = cursor.find_cr();
    cursor.at = find_octet(cursor.at, cr, '\n');
    if (cursor.at != cr) {
        rewriter.insert("\r");
        ++cursor.at;
        state_ = State::line_start;
    } else if (cr != cursor.end) {
        ++cursor.at;
        state_ = State::cr;
    }
}

std::string_view DataEncoder::finish() noexcept {
    switch (std::exchange(state_, State::line_start)) {
        case State::line_start: break;
        case State::text: return "\r\n.\r\n";
        case State::cr: return "\n.\r\n";
    }
    return ".\r\n";
}

}  // namespace outpost::smtp
