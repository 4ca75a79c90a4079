#pragma once

#include <cstdint>
#include <string>

#include "smtp/body_account.hpp"
#include "smtp/octet_cursor.hpp"

namespace outpost::smtp {

/// How a stretch of a line ended.
enum class TextStop : std::uint8_t {
    end_of_input,  ///< within the line
    line_end,      ///< behind CRLF
    bare_newline,  ///< behind a CR or LF that ends no line; it is accounted for
    open_cr,       ///< behind a CR at the end of the input, which is not accounted for yet
};

/// Takes text from `cursor` to behind the next newline of any kind. Octets that are fine stay
/// pending in the cursor where they can.
[[nodiscard]] TextStop take_text(OctetCursor& cursor, BodyAccount& account, std::string& sink);

/// Settles an open CR by the octet that follows it, which is taken if it is LF. Says whether the
/// two were a line end.
[[nodiscard]] bool settle_cr(OctetCursor& cursor, BodyAccount& account, std::string& sink);

}  // namespace outpost::smtp
