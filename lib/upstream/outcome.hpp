#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "smtp/reply.hpp"

namespace outpost::upstream {

/// What became of one recipient in one attempt (DESIGN section 7).
enum class Verdict : std::uint8_t {
    delivered,      ///< the upstream took responsibility
    deferred,       ///< try again; `scope` says who has to wait
    failed,         ///< refused for good
    misconfigured,  ///< our fault (login refused, bad key): suspends the upstream, keeps the mail
    uncertain,      ///< the whole message went out and no verdict came back
};

/// Who waits after a deferral. `sender`: all mail of that sender at this upstream, which knows by
/// itself whom it has turned away. `upstream` after a delivery: it has the message and holds it
/// (the account's quota is used up), so it is to get no more for the time being.
enum class Scope : std::uint8_t { recipient, message, sender, account, upstream };

struct Outcome {
    /// Not handed over in this send (Delivery::one_transaction), and nothing more to say of it.
    bool untried = false;
    Verdict verdict = Verdict::deferred;
    Scope scope = Scope::recipient;
    /// It is this upstream that cannot take the message (an extension it lacks, a size, a sender
    /// it does not know): another one of a group may.
    bool elsewhere = false;
    /// For the operator to look into, although the upstream as a whole works.
    bool alert = false;
    /// The wait that the upstream asked for, where it did.
    std::optional<std::chrono::seconds> retry_after;
    /// The upstream's reply; code 0 with our own words if there was none (`connection refused`).
    smtp::Reply reply;
    std::uint16_t http_status = 0;  ///< of an API's answer, which `reply` puts in words; 0: none
    std::string remote;             ///< `mx.example.com [192.0.2.1]:25`; empty if never connected
    std::string remote_id;          ///< the upstream's id for the message, where it says one
};

/// We are refused whatever the message is: a login, a key, an account. What was said of one
/// recipient or one run of a program may still be about that message alone.
[[nodiscard]] inline bool refuses_us(const Outcome& outcome) noexcept {
    return outcome.verdict == Verdict::misconfigured && outcome.scope == Scope::upstream;
}

/// What the outcome of one transaction means for recipients whose turn has not come: the same, if
/// they would fare no better now; else nothing, and they are tried. They were not part of what
/// broke down, so nothing about them is uncertain.
[[nodiscard]] inline std::optional<Outcome> for_the_rest(Outcome outcome) {
    const bool goes_on =
        outcome.untried || outcome.verdict == Verdict::delivered ||
        outcome.verdict == Verdict::failed ||
        (outcome.verdict == Verdict::deferred && outcome.scope == Scope::recipient);
    if (goes_on) return std::nullopt;
    if (outcome.verdict == Verdict::uncertain) outcome.verdict = Verdict::deferred;
    return outcome;
}

/// This upstream cannot carry the message (5.6.x), another one of the group may: the outcome for
/// all of its recipients.
[[nodiscard]] std::unexpected<Outcome> cannot_carry(smtp::EnhancedStatus status, std::string words);

/// How long each stage took; zero for a stage that was skipped (a reused connection).
struct Stages {
    std::chrono::microseconds connect{};   ///< lookup and TCP
    std::chrono::microseconds greeting{};  ///< banner, EHLO, TLS, AUTH
    std::chrono::microseconds transfer{};  ///< MAIL to the last reply
};

/// One entry in `outcomes` per recipient asked for, in that order.
struct SendReport {
    std::vector<Outcome> outcomes;
    Stages stages;
    bool reused = false;
    bool dsn_relayed = false;         ///< the upstream offered DSN: it reports success, not we
    bool deliver_by_relayed = false;  ///< the upstream offered DELIVERBY: BY went along, if given
};

}  // namespace outpost::upstream
