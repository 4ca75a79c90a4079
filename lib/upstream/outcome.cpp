#include "upstream/outcome.hpp"

#include <utility>

#include "smtp/client_machine.hpp"

namespace outpost::upstream {

std::unexpected<Outcome> cannot_carry(smtp::EnhancedStatus status, std::string words) {
    Outcome outcome;
    outcome.verdict = Verdict::failed;
    outcome.scope = Scope::message;
    outcome.elsewhere = true;
    outcome.reply = smtp::own_words(std::move(words));
    outcome.reply.status = status;
    return std::unexpected(std::move(outcome));
}

}  // namespace outpost::upstream
