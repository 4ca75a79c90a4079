#include <array>

#include "base/text.hpp"
#include "smtp/command_parsers.hpp"
#include "smtp/dsn_parameters.hpp"
#include "smtp/esmtp_parameters.hpp"
#include "smtp/path_argument.hpp"

namespace outpost::smtp {
namespace {

bool apply_notify(RcptCommand& rcpt, ParameterValue value) {
    return value && parse_notify(*value, rcpt.notify);
}

bool apply_orcpt(RcptCommand& rcpt, ParameterValue value) {
    if (!value || !is_orcpt(*value)) return false;
    rcpt.orcpt = *value;
    return true;
}

constexpr std::string_view orcpt_form = "addr-type;xtext, such as rfc822;user@example.com";

constexpr std::array<ParameterRule<RcptCommand>, 2> rules{{
    {"NOTIFY", "NEVER or some of SUCCESS,FAILURE,DELAY", apply_notify},
    {"ORCPT", orcpt_form, apply_orcpt},
}};

std::expected<Mailbox, CommandError> forward_path(std::string_view path) {
    if (base::iequals(path, "Postmaster")) return Mailbox{std::string(path), {}};
    return parse_path(path, CommandFault::bad_forward_path);
}

}  // namespace

CommandResult parse_rcpt(std::string_view argument, bool smtputf8) {
    const auto parts = split_path_argument(argument, "TO:", CommandFault::bad_forward_path);
    if (!parts) return std::unexpected(parts.error());
    auto mailbox = forward_path(parts->path);
    if (!mailbox) return std::unexpected(std::move(mailbox.error()));
    RcptCommand rcpt{*std::move(mailbox), {}, {}};
    auto applied = apply_parameters<RcptCommand>(parts->parameters, rules, rcpt);
    if (!applied) return std::unexpected(std::move(applied.error()));
    if (!smtputf8 && rcpt.forward_path.needs_smtputf8())
        return refuse(CommandFault::non_ascii_forward_path, parts->path);
    if (!smtputf8 && !base::is_ascii(rcpt.orcpt))
        return refuse(CommandFault::bad_parameter, "ORCPT=" + rcpt.orcpt,
                      "ASCII, or SMTPUTF8 at MAIL");
    return rcpt;
}

}  // namespace outpost::smtp
