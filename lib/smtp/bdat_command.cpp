#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "smtp/command_parsers.hpp"
#include "smtp/esmtp_parameters.hpp"

namespace outpost::smtp {

CommandResult parse_bdat(std::string_view argument, bool /*smtputf8*/) {
    constexpr std::string_view form = "BDAT SIZE [LAST]";
    if (argument.empty()) return refuse(CommandFault::missing_argument, {}, form);
    const auto end = std::min(argument.find_first_of(" \t"), argument.size());
    const auto word = base::trim(argument.substr(end));
    BdatCommand bdat{.size = 0, .last = base::iequals(word, "LAST")};
    const char* const begin = argument.data();
    const char* const stop = begin + end;
    const auto number = std::from_chars(begin, stop, bdat.size);
    if (number.ptr != stop || number.ec != std::errc{} || (!bdat.last && !word.empty()))
        return refuse(CommandFault::bad_argument, argument, form);
    return bdat;
}

}  // namespace outpost::smtp
