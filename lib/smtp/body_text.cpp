#include "smtp/body_text.hpp"

namespace outpost::smtp {
namespace {

TextStop take_bare_newline(OctetCursor& cursor, BodyAccount& account, std::string& sink) {
    account.append(cursor.pending(), sink);
    account.bare_newline(sink);
    cursor.skip_to(cursor.at + 1);
    return TextStop::bare_newline;
}

}  // namespace

TextStop take_text(OctetCursor& cursor, BodyAccount& account, std::string& sink) {
    const char* const cr = cursor.find_cr();
    const char* const newline = find_octet(cursor.at, cr, '\n');
    account.lengthen_line(static_cast<std::size_t>(newline - cursor.at));
    cursor.at = newline;
    if (newline != cr) return take_bare_newline(cursor, account, sink);
    if (cr == cursor.end) return TextStop::end_of_input;
    if (cr + 1 == cursor.end) {
        account.append(cursor.pending(), sink);
        cursor.skip_to(cursor.end);
        return TextStop::open_cr;
    }
    if (cr[1] != '\n') return take_bare_newline(cursor, account, sink);
    account.end_line();
    cursor.at = cr + 2;
    return TextStop::line_end;
}

bool settle_cr(OctetCursor& cursor, BodyAccount& account, std::string& sink) {
    if (*cursor.at != '\n') {
        account.bare_newline(sink);
        return false;
    }
    account.append("\r\n", sink);
    account.end_line();
    cursor.skip_to(cursor.at + 1);
    return true;
}

}  // namespace outpost::smtp
