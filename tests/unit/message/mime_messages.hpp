#pragma once

#include <string>
#include <string_view>

namespace outpost::message {

/// A message as tests write it, with CRLF line ends and without the first line end.
inline std::string crlf(std::string_view text) {
    if (text.starts_with('\n')) text.remove_prefix(1);
    std::string out;
    for (const char c : text) {
        if (c == '\n') out.push_back('\r');
        out.push_back(c);
    }
    return out;
}

}  // namespace outpost::message
