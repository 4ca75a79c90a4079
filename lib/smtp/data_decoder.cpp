#include "smtp/data_decoder.hpp"

#include "smtp/body_text.hpp"

namespace outpost::smtp {

DataDecoder::Progress DataDecoder::feed(std::string_view input, std::string& sink) {
    if (input.empty() || state_ == State::complete) return {0, state_ == State::complete};
    OctetCursor cursor(input);
    while (!cursor.done() && state_ != State::complete) step(cursor, sink);
    account_.append(cursor.pending(), sink);
    const auto consumed = static_cast<std::size_t>(cursor.at - input.data());
    account_.look_for_nul(input.substr(0, consumed));
    return {consumed, state_ == State::complete};
}

void DataDecoder::step(OctetCursor& cursor, std::string& sink) {
    switch (state_) {
        case State::line_start:
            state_ = State::text;
            if (*cursor.at == '.') {
                account_.append(cursor.pending(), sink);
                cursor.skip_to(cursor.at + 1);
                state_ = State::dot;
            }
            return;
        case State::text: state_ = state_after(take_text(cursor, account_, sink)); return;
        case State::cr:
            state_ = settle_cr(cursor, account_, sink) ? State::line_start : State::text;
            return;
        case State::dot:
            // The dot is gone already, whatever follows it.
            state_ = State::text;
            if (*cursor.at == '\r') {
                cursor.skip_to(cursor.at + 1);
                state_ = State::dot_cr;
            }
            return;
        case State::dot_cr:
            state_ = State::text;
            if (*cursor.at == '\n') {
                cursor.skip_to(cursor.at + 1);
                state_ = State::complete;
            } else {
                account_.bare_newline(sink);
            }
            return;
        case State::complete: return;
    }
}

DataDecoder::State DataDecoder::state_after(TextStop stop) noexcept {
    switch (stop) {
        case TextStop::line_end: return State::line_start;
        case TextStop::open_cr: return State::cr;
        // No line starts behind a bare newline: a dot there is content, and never an end.
        case TextStop::bare_newline:
        case TextStop::end_of_input: break;
    }
    return State::text;
}

}  // namespace outpost::smtp
