#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "account/authenticator.hpp"
#include "base/clock.hpp"
#include "control/account_keeper.hpp"
#include "control/account_views.hpp"
#include "control/at_desk.hpp"
#include "control/http_server.hpp"
#include "control/limit_store_state.hpp"
#include "control/pause_keeper.hpp"
#include "delivery/desk.hpp"
#include "history/event.hpp"
#include "limit/limiter.hpp"
#include "net/offload.hpp"
#include "spool/spool.hpp"
#include "store/history.hpp"
#include "submission/account_limits.hpp"

namespace outpost::control {

/// The control API (docs/control-api.yaml): what outpostctl asks for. Every change is logged with
/// the operator's reason. Used on the control thread; what belongs to delivery is done on its
/// executor.
class Api {
  public:
    /// What a reload did: it has errors, or all of it is in effect.
    struct Reloaded {
        std::vector<std::string> changes;
        std::vector<std::string> errors;
    };
    using Reload = std::function<boost::asio::awaitable<Reloaded>(std::string reason)>;

    struct Parts {
        std::string version;
        base::WallTime started;
        const base::Clock& clock;
        spool::Spool& spool;
        DeskAccess delivery;
        account::Authenticator& authenticator;
        limit::Limiter& limiter;
        const submission::AccountLimits& account_limits;
        LimitStoreView limit_store;
        AccountKeeper& accounts;
        PauseKeeper& pauses;
        net::OffloadPool& pool;  ///< for changes that are stored, and searches in the history
        Reload reload;
        store::History* history;  ///< null: none is kept
    };
    explicit Api(Parts parts) : parts_(std::move(parts)) {}

    boost::asio::awaitable<Response> handle(const Request& request);

  private:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;
    struct Path;

    awaitable<Response> status();
    awaitable<Response> reload(const Request& request);
    awaitable<Response> queue();
    awaitable<Response> messages(const Request& request);
    awaitable<Response> message(base::MessageId id, std::string_view what);
    awaitable<Response> content(base::MessageId id);
    awaitable<Response> change(std::string_view what, const Request& request);
    awaitable<Response> upstreams();
    awaitable<Response> groups();
    /// 404 if the filter names an upstream, group or account that there is not and never was for
    /// any mail in the queue.
    awaitable<std::optional<Response>> names_unknown(const delivery::MessageFilter& filter);
    /// With the history's words on who holds it since when, where it is held.
    awaitable<void> add_hold(delivery::MessageView& view);
    using Rows = std::expected<std::vector<history::Row>, std::string>;
    awaitable<void> settle_history();
    awaitable<Rows> find_history(history::Query query);
    awaitable<Response> history(const Request& request);
    awaitable<Response> why_gone(base::MessageId id);
    awaitable<Response> route(const Request& request);
    awaitable<Response> accounts();
    awaitable<Response> account(const Request& request);
    awaitable<Response> change_account(std::string_view what, const Request& request);
    struct Release;
    /// When mail that an account hands in now may go out, as far as the account goes.
    [[nodiscard]] std::optional<Release> release_of(const std::string& account);
    /// What is used of an account's limits.
    [[nodiscard]] std::vector<limit::Level> levels_of(std::string_view account);
    [[nodiscard]] AccountUse use_of(const std::string& account, std::uint64_t queued);
    /// How many messages of each account are in the queue.
    awaitable<std::map<std::string, std::uint64_t>> queued_by_account();
    awaitable<Response> upstream(std::string_view name, std::string_view what,
                                 const Request& request);
    awaitable<Response> send_test(std::string_view name, const Request& request);

    Parts parts_;
};

}  // namespace outpost::control
