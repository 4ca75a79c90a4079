#include "smtp/path_argument.hpp"

#include <algorithm>
#include <string>

#include "base/text.hpp"
#include "smtp/esmtp_parameters.hpp"

namespace outpost::smtp {
namespace {

constexpr std::string_view blank = " \t";

/// Where the `>` stands that closes `<...`; quoted strings may hold others.
std::size_t closing_bracket(std::string_view text) noexcept {
    bool quoted = false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') quoted = !quoted;
        if (quoted && text[i] == '\\') ++i;
        if (!quoted && text[i] == '>') return i;
    }
    return std::string_view::npos;
}

}  // namespace

std::expected<PathArgument, CommandError> split_path_argument(std::string_view argument,
                                                              std::string_view prefix,
                                                              CommandFault bad_path) {
    const auto form = std::string(prefix) + "<address>";
    if (argument.empty()) return refuse(CommandFault::missing_argument, {}, form);
    if (!base::iequals(argument.substr(0, prefix.size()), prefix))
        return refuse(CommandFault::bad_argument, argument, form);
    argument.remove_prefix(prefix.size());
    argument.remove_prefix(std::min(argument.find_first_not_of(blank), argument.size()));
    const auto close =
        argument.starts_with('<') ? closing_bracket(argument) : std::string_view::npos;
    if (close == std::string_view::npos) return refuse(bad_path, argument, form);
    PathArgument parts{argument.substr(1, close - 1), argument.substr(close + 1)};
    if (!parts.parameters.empty() && !blank.contains(parts.parameters.front()))
        return refuse(bad_path, argument, form);
    return parts;
}

std::expected<Mailbox, CommandError> parse_path(std::string_view path, CommandFault bad_path) {
    auto mailbox = parse_mailbox(path, true);
    if (mailbox) return *std::move(mailbox);
    const bool route = path.starts_with('@') && path.contains(':');
    return refuse(route ? CommandFault::source_route : bad_path, path, "local@domain");
}

}  // namespace outpost::smtp
