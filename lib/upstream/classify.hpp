#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "smtp/client_machine.hpp"
#include "smtp/reply.hpp"
#include "upstream/outcome.hpp"

/// What a reply or a failure of an SMTP session means for the mail (DESIGN section 7, DETAILS
/// under Limits and Upstreams). Two rules stand above the table: what is our own fault or the
/// network's never bounces mail, and what concerns one recipient never stops the others.
namespace outpost::upstream {

/// The outcome for whom `failure` concerns; fault none is a delivery. `remote` is left empty.
///
/// A refusal to relay (`554 5.7.1 Relay access denied`) may be our missing permission or a true
/// limit of the upstream for one domain, and nothing in it tells which. As `failed` it would
/// bounce a queue for a forgotten setting; as `misconfigured` one address could suspend the
/// upstream for all. So it defers that recipient: the mail is kept and the reply is shown.
[[nodiscard]] Outcome classify(smtp::ClientFailure failure);

/// The wait that a reply asks for: `try again in 5 minutes`, `retry after 30s`. At most a day.
[[nodiscard]] std::optional<std::chrono::seconds> stated_wait(std::string_view text);

/// The upstream's id of a message: `ABC` of `Ok: queued as ABC`. Empty if it says none.
[[nodiscard]] std::string_view queued_id(std::string_view text);

}  // namespace outpost::upstream
