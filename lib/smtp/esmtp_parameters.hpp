#pragma once

#include <bitset>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "smtp/command_error.hpp"

/// The parameters of MAIL and RCPT (RFC 5321 section 4.1.2, Mail-parameters), by tables of rules.
namespace outpost::smtp {

using ParameterValue = std::optional<std::string_view>;

/// One parameter that a command may carry.
template <class Command>
struct ParameterRule {
    std::string_view keyword;
    std::string_view expected;  ///< for the reply where apply() says no
    bool (*apply)(Command& command, ParameterValue value);
};

struct EsmtpParameter {
    std::string_view keyword;
    ParameterValue value;
};

/// A CommandError whose text is made fit to be shown.
[[nodiscard]] std::unexpected<CommandError> refuse(CommandFault fault, std::string_view text,
                                                   std::string_view expected = {});

/// Takes the next parameter off `rest`, which starts with white space; checks its form alone.
[[nodiscard]] std::expected<EsmtpParameter, CommandError> take_parameter(std::string_view& rest);

/// Applies all the parameters in `rest` to `command`.
template <class Command>
[[nodiscard]] std::expected<void, CommandError> apply_parameters(
    std::string_view rest, std::span<const ParameterRule<Command>> rules, Command& command) {
    std::bitset<32> seen;
    while (!base::trim(rest).empty()) {
        const auto parameter = take_parameter(rest);
        if (!parameter) return std::unexpected(parameter.error());
        std::size_t i = 0;
        while (i < rules.size() && !base::iequals(rules[i].keyword, parameter->keyword)) ++i;
        if (i == rules.size()) return refuse(CommandFault::unknown_parameter, parameter->keyword);
        if (seen[i]) return refuse(CommandFault::duplicate_parameter, parameter->keyword);
        seen.set(i);
        if (!rules[i].apply(command, parameter->value)) {
            std::string text(parameter->keyword);
            if (parameter->value) text.append("=").append(*parameter->value);
            return refuse(CommandFault::bad_parameter, text, rules[i].expected);
        }
    }
    return {};
}

}  // namespace outpost::smtp
