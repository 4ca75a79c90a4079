// links: smtp
// BDAT: the same message in one chunk, in several chunks, and octet by octet gives the same
// result; a text message that is accepted holds nothing but CRLF newlines.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "smtp/bdat_decoder.hpp"

namespace {

using namespace outpost::smtp;

void require(bool holds) {
    if (!holds) std::abort();
}

struct Decoded {
    std::string message;
    BodyFault fault = BodyFault::none;
    bool operator==(const Decoded&) const = default;
};

/// Chunks of `chunk` octets, each fed in pieces of `step`.
Decoded decode(const BodyRules& rules, std::string_view input, std::size_t chunk,
               std::size_t step) {
    BdatDecoder decoder(rules);
    Decoded out;
    do {
        auto octets = input.substr(0, chunk);
        input.remove_prefix(octets.size());
        decoder.begin_chunk(octets.size(), input.empty());
        bool whole = false;
        while (!whole) {
            const auto progress = decoder.feed(octets.substr(0, step), out.message);
            octets.remove_prefix(progress.consumed);
            whole = progress.chunk_complete;
            require(whole == octets.empty());
        }
    } while (!decoder.complete());
    require(input.empty());
    out.fault = decoder.fault();
    if (out.fault != BodyFault::none) out.message.clear();
    require(out.message.size() <= rules.max_size);
    return out;
}

bool has_bare_newline(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
        if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return true;
    }
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t chunk = 1 + data[0] % 64;
    const std::size_t step = 1 + data[1] % 16;
    const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
    for (const auto policy : {BareNewlinePolicy::reject, BareNewlinePolicy::normalize}) {
        const BodyRules rules{.max_size = 512, .max_line = 48, .newlines = policy, .binary = false};
        const auto whole = decode(rules, input, std::max<std::size_t>(input.size(), 1), 1UL << 20);
        require(whole == decode(rules, input, chunk, step));
        require(whole == decode(rules, input, 1, 1));
        require(!has_bare_newline(whole.message) && !whole.message.contains('\0'));
        if (policy == BareNewlinePolicy::reject && whole.fault == BodyFault::none)
            require(whole.message == input);
        if (policy == BareNewlinePolicy::reject && has_bare_newline(input))
            require(whole.fault != BodyFault::none);
    }
    const BodyRules binary{.max_size = 512, .binary = true};
    const auto taken = decode(binary, input, chunk, step);
    require((taken.fault == BodyFault::too_big) == (input.size() > 512));
    require(taken.fault != BodyFault::none || taken.message == input);
    return 0;
}
