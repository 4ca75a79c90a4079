#include "upstream/deliver_by.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "smtp/client_machine.hpp"

namespace outpost::upstream {

namespace {

using std::chrono::seconds;

constexpr seconds least_by_time{-999'999'999};  // by-time has 9 digits at most

std::unexpected<Outcome> refuse(std::string words) {
    Outcome outcome;
    outcome.verdict = Verdict::failed;
    outcome.scope = Scope::message;
    outcome.elsewhere = true;
    outcome.reply = smtp::own_words(std::move(words));
    outcome.reply.status = {5, 4, 7};
    return std::unexpected(std::move(outcome));
}

}  // namespace

std::expected<std::optional<seconds>, Outcome> deliver_within(
    const std::optional<smtp::DeliverBy>& wanted, std::optional<std::uint32_t> offered,
    base::WallTime now) {
    if (!wanted) return std::nullopt;
    // Rounded down: the next server must not take more time than there is.
    const auto left = std::chrono::floor<seconds>(wanted->by - now);
    if (wanted->mode == smtp::DeliverBy::Mode::notify)
        return offered ? std::optional(std::max(left, least_by_time)) : std::nullopt;
    if (!offered)
        return refuse(
            "the message is to be returned unless it is delivered in time (BY with mode R), and "
            "the upstream, which does not offer DELIVERBY, cannot promise that");
    const seconds least{std::max<std::uint32_t>(*offered, 1)};
    if (left >= least) return left;
    return refuse(
        fmt::format("{} seconds of the time for delivery (BY) are left, and the upstream "
                    "needs {} at least",
                    left.count(), least.count()));
}

}  // namespace outpost::upstream
