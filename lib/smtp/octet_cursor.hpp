#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace outpost::smtp {

/// The first `octet` in [from, to), or `to`.
inline const char* find_octet(const char* from, const char* to, char octet) noexcept {
    const void* const found =
        from == to ? nullptr : std::memchr(from, octet, static_cast<std::size_t>(to - from));
    return found == nullptr ? to : static_cast<const char*>(found);
}

/// A position in one piece of message data, for the codecs. What lies between `run` and `at` is
/// done with and moves on as it is, in one copy or none.
struct OctetCursor {
    const char* at;
    const char* run;
    const char* end;
    const char* known_cr;  ///< the first CR at or after some earlier `at`

    explicit OctetCursor(std::string_view piece) noexcept
        : at(piece.data()), run(at), end(at + piece.size()), known_cr(find_octet(at, end, '\r')) {}

    [[nodiscard]] bool done() const noexcept { return at == end; }
    /// The first CR from `at` on, or the end. Searched for once: a flood of LF between two CR
    /// would else take quadratic time.
    [[nodiscard]] const char* find_cr() noexcept {
        if (known_cr < at) known_cr = find_octet(at, end, '\r');
        return known_cr;
    }
    /// Goes on at `next`; nothing before it moves on any more.
    void skip_to(const char* next) noexcept { run = at = next; }
    [[nodiscard]] std::string_view pending() const noexcept {
        return {run, static_cast<std::size_t>(at - run)};
    }
};

}  // namespace outpost::smtp
