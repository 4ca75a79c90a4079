#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <map>

#include "base/log.hpp"
#include "base/text.hpp"
#include "config/account_settings.hpp"
#include "control/account_views.hpp"
#include "control/api.hpp"
#include "control/json_views.hpp"

namespace outpost::control {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

Response failed(const AccountKeeper::Failure& failure) {
    using enum AccountKeeper::Failure::Kind;
    const unsigned status = failure.kind == unknown ? 404 : failure.kind == invalid ? 400 : 500;
    return error_response(status, failure.text);
}

/// The settings among the parameters; the error names one that is none.
std::expected<config::AccountSettings, std::string> read_settings(const Request& request) {
    config::AccountSettings settings;
    for (const auto& [key, value] : request.query) {
        if (key == "name" || key == "reason") continue;
        const auto options = config::account_options();
        if (std::ranges::find(options, key, &config::AccountOption::name) != options.end()) {
            settings.emplace(key, value);
            continue;
        }
        std::vector<std::string_view> names;
        for (const auto& option : options) names.push_back(option.name);
        const auto near = base::near_match(key, names);
        return std::unexpected(fmt::format("{} is no setting of an account{}",
                                           base::printable(key, 64),
                                           near ? fmt::format("; did you mean {}?", *near) : ""));
    }
    return settings;
}

/// What was set, for the log. No setting is a secret.
std::string text(const config::AccountSettings& settings) {
    std::string all;
    for (const auto& [option, value] : settings)
        all += fmt::format("{}{}={}", all.empty() ? "" : ", ", option, value);
    return base::printable(all, 512);
}

struct Change {
    std::string what;
    std::string name;
    config::AccountSettings settings;
};

/// The result: the new password, where there is one. Blocks.
AccountKeeper::Result<base::Secret> make(AccountKeeper& keeper, const Change& change) {
    if (change.what == "add") return keeper.add(change.name, change.settings);
    if (change.what == "reset-password") return keeper.reset_password(change.name);
    const auto done = change.what == "set"       ? keeper.set(change.name, change.settings)
                      : change.what == "disable" ? keeper.disable(change.name)
                      : change.what == "enable"  ? keeper.enable(change.name)
                                                 : keeper.remove(change.name);
    if (!done) return std::unexpected(done.error());
    return base::Secret();
}

}  // namespace

std::vector<limit::Level> Api::levels_of(std::string_view account) {
    std::vector<limit::Level> levels;
    for (const char* counter : {"submit", "rate", "quota"}) {
        const auto id = parts_.limiter.find(fmt::format("account/{}/{}", account, counter));
        if (!id) continue;
        for (auto& level : parts_.limiter.levels(*id)) levels.push_back(std::move(level));
    }
    return levels;
}

AccountUse Api::use_of(const std::string& account, std::uint64_t queued) {
    return {.limits = levels_of(account),
            .queued = queued,
            .locked_until = parts_.authenticator.locked_until(account)};
}

asio::awaitable<std::map<std::string, std::uint64_t>> Api::queued_by_account() {
    const auto rows = co_await at_desk(
        parts_.delivery, [](delivery::Desk& desk) -> awaitable<std::vector<delivery::QueueRow>> {
            co_return desk.queue();
        });
    std::map<std::string, std::uint64_t> queued;
    for (const auto& row : rows)
        queued[row.account] += row.ready + row.limited + row.waiting + row.in_flight;
    co_return queued;
}

asio::awaitable<Response> Api::accounts() {
    auto queued = co_await queued_by_account();
    json::array all;
    for (const AccountKeeper::View& view : parts_.accounts.list()) {
        const std::string& name = view.account.name;
        // Of those that are removed, those that still have mail here.
        if (view.account.removed && !queued.contains(name)) continue;
        all.push_back(to_json(view, use_of(name, queued[name])));
    }
    co_return json_response(all);
}

asio::awaitable<Response> Api::account(const Request& request) {
    const std::string name = param(request, "name");
    auto queued = co_await queued_by_account();
    const auto view = parts_.accounts.find(name);
    if (!view) co_return error_response(404, "there is no account " + base::printable(name, 64));
    co_return json_response(to_json(*view, use_of(name, queued[name])));
}

asio::awaitable<Response> Api::change_account(std::string_view what, const Request& request) {
    constexpr std::string_view known[] = {"add",    "set",    "reset-password",
                                          "remove", "enable", "disable"};
    if (std::ranges::find(known, what) == std::end(known))
        co_return error_response(404, "there is no change " + base::printable(what, 64));
    auto settings = read_settings(request);
    if (!settings) co_return error_response(400, settings.error());
    if (!settings->empty() && what != "add" && what != "set")
        co_return error_response(400, settings->begin()->first + " is for add and set");
    const Change change{std::string(what), param(request, "name"), std::move(*settings)};
    const auto done = co_await parts_.pool.run(
        [&keeper = parts_.accounts, change] { return make(keeper, change); });
    if (!done) co_return error_response(503, "too much to do; try again in a moment");
    if (!*done) co_return failed(done->error());
    if (what == "enable" || what == "reset-password") parts_.authenticator.unlock(change.name);
    base::log::info("operator", {{"does", "account " + change.what},
                                 {"account", change.name},
                                 {"settings", text(change.settings)},
                                 {"uid", request.uid},
                                 {"why", base::printable(param(request, "reason"), 256)}});
    if (what == "add" || what == "reset-password")
        co_return json_response(credentials(change.name, **done, *parts_.accounts.config()));
    const auto view = parts_.accounts.find(change.name);
    co_return json_response({{"name", change.name}, {"state", view ? state_of(*view) : "removed"}});
}

}  // namespace outpost::control
