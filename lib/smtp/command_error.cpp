#include "smtp/command_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/text.hpp"

namespace outpost::smtp {
namespace {

struct Verdict {
    int code;
    EnhancedStatus status;
    std::string_view words;
};

Verdict verdict(CommandFault fault) noexcept {
    using enum CommandFault;
    switch (fault) {
        case syntax: return {500, {5, 5, 2}, "This is not an SMTP command"};
        case missing_argument: return {501, {5, 5, 4}, "The command lacks its argument"};
        case bad_argument: return {501, {5, 5, 4}, "Argument not understood"};
        case unexpected_argument: return {501, {5, 5, 4}, "The command takes no such argument"};
        case bad_base64: return {501, {5, 5, 2}, "The response is not valid base64"};
        case bad_reverse_path: return {501, {5, 1, 7}, "Not a valid sender address"};
        case bad_forward_path: return {501, {5, 1, 3}, "Not a valid recipient address"};
        case source_route: return {501, {5, 1, 7}, "Source routes are not accepted"};
        case non_ascii_reverse_path:
            return {
                550, {5, 6, 7}, "A sender address with other than ASCII letters needs SMTPUTF8"};
        case non_ascii_forward_path:
            return {
                553, {5, 6, 7}, "A recipient address with other than ASCII letters needs SMTPUTF8"};
        case bad_parameter: return {501, {5, 5, 4}, "Parameter with a wrong value"};
        case duplicate_parameter: return {501, {5, 5, 4}, "Parameter given twice"};
        case unknown_parameter: return {555, {5, 5, 4}, "Parameter not known"};
    }
    return {500, {5, 5, 2}, "Syntax error"};
}

}  // namespace

Reply reply_to(const CommandError& error) {
    const auto [code, status, words] = verdict(error.fault);
    std::string line(words);
    if (!error.text.empty()) {
        // A reply is ASCII unless the client asked for more (RFC 6531 section 3.7.4).
        std::string text = error.text;
        std::ranges::replace_if(
            text, [](char c) { return static_cast<unsigned char>(c) > 127; }, '?');
        line += ": " + text;
    }
    if (!error.expected.empty()) line += "; expected " + error.expected;
    return Reply{code, status, {std::move(line)}};
}

}  // namespace outpost::smtp
