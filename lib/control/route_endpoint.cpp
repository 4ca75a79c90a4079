#include <boost/json/object.hpp>
#include <variant>

#include "account/sender_policy.hpp"
#include "base/text.hpp"
#include "control/api.hpp"
#include "control/json_views.hpp"
#include "message/header_reader.hpp"
#include "message/policy_header.hpp"
#include "message/priority.hpp"
#include "submission/limit_reply.hpp"

namespace outpost::control {
namespace {

namespace json = boost::json;

/// What the sender policy says: empty if it accepts.
std::string verdict(const account::Account& account, std::string_view from,
                    const message::HeaderSection* header) {
    account::Verdict judged = account::check_envelope(account, from);
    if (std::holds_alternative<account::Accept>(judged) && header != nullptr)
        judged = account::check_header(account, message::policy_header(*header));
    const auto* const refused = std::get_if<account::Refuse>(&judged);
    return refused == nullptr ? std::string() : refused->reply.text();
}

}  // namespace

struct Api::Release {
    base::WallTime at{};
    std::string because;
};

std::optional<Api::Release> Api::release_of(const std::string& account) {
    const auto view = parts_.accounts.find(account);
    if (!view) return std::nullopt;
    const base::WallTime now = parts_.clock.wall();
    std::optional<Release> latest;
    if (const auto& hours = view->account.deliver; hours && hours->next_open(now) > now)
        latest = {hours->next_open(now), "delivery hours " + hours->text()};
    // One that refuses over its quota was asked before; this is of one that holds.
    if (view->account.when_exceeded != config::WhenExceeded::hold) return latest;
    const auto counter = parts_.limiter.find("account/" + account + "/quota");
    if (!counter) return latest;
    const limit::Wait wait = parts_.limiter.room(*counter, {}).wait;
    const bool known =
        wait.what != limit::Wait::For::nothing && wait.until != base::WallTime::max();
    if (known && (!latest || latest->at < wait.until))
        latest = {wait.until, parts_.limiter.describe(*counter, wait)};
    return latest;
}

/// What would happen to a message from `from` to `to` of an account; the body may be the message.
boost::asio::awaitable<Response> Api::route(const Request& request) {
    const std::string name = param(request, "account");
    const std::string to = param(request, "to");
    const std::string from = param(request, "from");
    if (name.empty() || to.empty()) co_return error_response(400, "account and to are needed");
    const auto account = parts_.authenticator.directory()->find(name);
    if (!account) co_return error_response(404, "there is no account " + base::printable(name, 64));

    const auto header = message::read_header(request.body);
    const bool given = !request.body.empty();
    smtp::Envelope envelope;
    envelope.account = name;
    envelope.reverse_path = from;
    envelope.recipients.push_back({.address = to, .notify = {}, .orcpt = {}});
    envelope.priority =
        message::effective_priority({account->priority, account->priority_cap}, std::nullopt,
                                    given ? message::priority_from_header(header) : std::nullopt);
    const auto view = co_await at_desk(
        parts_.delivery,
        [&name, &envelope,
         &header](delivery::Desk& desk) -> awaitable<std::optional<delivery::RouteView>> {
            if (!desk.knows(name)) co_return std::nullopt;
            co_return desk.route(name, envelope, header);
        });
    if (!view) co_return error_response(404, "account " + name + " has no route");

    json::object answer = to_json(*view).as_object();
    std::string refusal = account->active ? verdict(*account, from, given ? &header : nullptr)
                                          : "525 5.7.13 the account is not active";
    const bool for_good = !refusal.empty();
    if (!for_good)
        refusal = submission::limit_reply_now(parts_.account_limits, name, parts_.clock.wall());
    answer["accepted"] = refusal.empty();
    answer["refusal"] = refusal;
    // For a limit: the same message is taken later.
    answer["refused_now"] = !for_good && !refusal.empty();
    const auto release = refusal.empty() ? release_of(name) : std::nullopt;
    answer["goes_out"] = release ? json::value(base::rfc3339_seconds(release->at)) : json::value();
    answer["goes_out_because"] = release ? release->because : "";
    answer["priority"] = envelope.priority;
    answer["limits"] = to_json(levels_of(name));
    co_return json_response(answer);
}

}  // namespace outpost::control
