// links: smtp
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "smtp/extensions.hpp"
#include "smtp/reply_parser.hpp"

namespace {

using outpost::smtp::Reply;
using outpost::smtp::ReplyParser;

struct Parsed {
    std::vector<Reply> replies;
    bool faulty = false;

    bool operator==(const Parsed&) const = default;
};

/// Reads `input` in pieces of `step` octets; one too many times around the loop is a hang.
Parsed parse(std::string_view input, std::size_t step) {
    Parsed result;
    ReplyParser parser;
    while (!input.empty() && !result.faulty) {
        auto piece = input.substr(0, step);
        input.remove_prefix(piece.size());
        while (!piece.empty() && !result.faulty) {
            const auto before = piece.size();
            auto reply = parser.take(piece);
            if (!reply) {
                result.faulty = true;
            } else if (*reply) {
                result.replies.push_back(std::move(**reply));
            }
            if (!result.faulty && piece.size() == before) std::abort();
        }
    }
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto whole = parse(input, input.size() + 1);
    if (parse(input, 1) != whole || parse(input, 7) != whole) std::abort();
    for (const auto& reply : whole.replies) {
        if (reply.code < 200 || reply.code > 599 || reply.lines.empty()) std::abort();
        for (const auto& line : reply.lines)
            if (line.find_first_of("\r\n") != std::string_view::npos) std::abort();
        (void)outpost::smtp::parse_extensions(reply.lines);
    }
    return 0;
}
