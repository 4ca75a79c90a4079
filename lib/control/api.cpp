#include "control/api.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/text.hpp"
#include "control/at_desk.hpp"
#include "control/json_views.hpp"

namespace outpost::control {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::size_t usual_list = 100;
constexpr std::size_t longest_list = 10'001;  ///< one more than outpostctl shows

/// `/v1/queue/messages` as its parts; empty if it is none of ours.
std::vector<std::string> parts_of(std::string_view path) {
    constexpr std::string_view prefix = "/v1/";
    if (!path.starts_with(prefix)) return {};
    return base::split_list(path.substr(prefix.size()), '/');
}

std::size_t limit_of(const Request& request) {
    std::size_t most = usual_list;
    if (const auto found = request.query.find("limit"); found != request.query.end()) {
        const std::string& text = found->second;
        std::from_chars(text.data(), text.data() + text.size(), most);
    }
    return most;
}

/// Words for a change by ids none of which is in the queue.
std::optional<std::string> all_absent(const delivery::QueueChanged& changed) {
    using Why = delivery::QueueChanged::Why;
    const auto& skipped = changed.skipped;
    const auto absent = [](const auto& one) { return one.why == Why::absent; };
    if (!changed.done.empty() || skipped.empty() || !std::ranges::all_of(skipped, absent))
        return std::nullopt;
    const std::string id = skipped.front().id.text();
    if (skipped.size() == 1)
        return "message " + id + " is not in the queue; `outpostctl why " + id +
               "` tells what became of it";
    return "none of these " + std::to_string(skipped.size()) +
           " messages is in the queue; `outpostctl why " + id + "` tells what became of the first";
}

}  // namespace

asio::awaitable<Response> Api::handle(const Request& request) {
    const std::vector<std::string> path = parts_of(request.path);
    const bool get = request.method == "GET";
    const bool post = request.method == "POST";
    const auto is = [&](std::size_t size, std::string_view first) {
        return path.size() == size && path[0] == first;
    };
    if (!get && !post) co_return error_response(405, "only GET and POST are known here");
    if (get && is(1, "status")) co_return co_await status();
    if (post && is(1, "reload")) co_return co_await reload(request);
    if (get && is(1, "queue")) co_return co_await queue();
    if (get && is(2, "queue") && path[1] == "messages") co_return co_await messages(request);
    if (get && (is(3, "queue") || is(4, "queue")) && path[1] == "messages") {
        const auto id = base::MessageId::parse(path[2]);
        if (!id) co_return no_such("message", path[2]);
        co_return co_await message(*id, path.size() == 4 ? path[3] : std::string());
    }
    if (post && is(2, "queue")) co_return co_await change(path[1], request);
    if (get && is(1, "history")) co_return co_await history(request);
    if (post && is(1, "route")) co_return co_await route(request);
    if (get && is(1, "accounts")) co_return co_await accounts();
    if (get && is(1, "account")) co_return co_await account(request);
    if (post && is(2, "accounts")) co_return co_await change_account(path[1], request);
    if (get && is(1, "upstreams")) co_return co_await upstreams();
    if (get && is(1, "groups")) co_return co_await groups();
    if (post && is(3, "upstreams")) co_return co_await upstream(path[1], path[2], request);
    co_return error_response(404, "there is nothing at " + base::printable(request.path, 128));
}

asio::awaitable<Response> Api::status() {
    struct Counts {
        std::size_t queued = 0;
        std::optional<base::WallTime> oldest;
        std::vector<delivery::UpstreamView> upstreams;
        std::vector<delivery::GroupView> groups;
    };
    const auto counts =
        co_await at_desk(parts_.delivery, [](delivery::Desk& desk) -> awaitable<Counts> {
            const auto oldest = co_await desk.oldest();
            co_return Counts{desk.size(), oldest, desk.upstreams(), desk.groups()};
        });
    const spool::Health health = parts_.spool.health();
    json::array all;
    for (const auto& view : counts.upstreams) all.push_back(to_json(view));
    json::object object{{"version", parts_.version},
                        {"hostname", parts_.accounts.config()->hostname},
                        {"started", base::rfc3339(parts_.started)},
                        {"accepting", health.accepting},
                        {"reason", health.reason},
                        {"queued", counts.queued},
                        {"upstreams", std::move(all)}};
    json::array groups;
    for (const auto& view : counts.groups) groups.push_back(to_json(view));
    object["groups"] = std::move(groups);
    const LimitStoreState limits = parts_.limit_store();
    object["limits"] = {{"state", limits.state}, {"reason", limits.reason}};
    object["oldest"] = to_json(counts.oldest);
    co_return json_response(object);
}

asio::awaitable<Response> Api::reload(const Request& request) {
    const Reloaded done = co_await parts_.reload(reason_of(request));
    const auto strings = [](const std::vector<std::string>& lines) {
        return json::array(lines.begin(), lines.end());
    };
    if (done.errors.empty()) co_return json_response({{"changes", strings(done.changes)}});
    std::string error = "nothing was changed";
    for (const auto& each : done.errors) error += "\n" + each;
    co_return json_response({{"error", error}, {"faults", strings(done.errors)}}, 422);
}

asio::awaitable<Response> Api::queue() {
    struct Seen {
        std::vector<delivery::QueueRow> rows;
        delivery::Workload workload;
    };
    Seen seen = co_await at_desk(parts_.delivery, [](delivery::Desk& desk) -> awaitable<Seen> {
        Seen all{.rows = {}, .workload = co_await desk.workload()};
        all.rows = desk.queue();
        co_return all;
    });
    json::array rows;
    for (const auto& row : seen.rows) rows.push_back(to_json(row));
    json::array upstreams;
    const auto outlook = delivery::outlook(std::move(seen.workload));
    for (const auto& way : outlook.ways) upstreams.push_back(to_json(way));
    co_return json_response({{"total", to_json(outlook.total)},
                             {"upstreams", std::move(upstreams)},
                             {"rows", std::move(rows)}});
}

asio::awaitable<std::optional<Response>> Api::names_unknown(const delivery::MessageFilter& filter) {
    if (!filter.way.empty()) {
        const bool known =
            co_await at_desk(parts_.delivery, [&filter](delivery::Desk& desk) -> awaitable<bool> {
                co_return desk.knows_way(filter.way);
            });
        if (!known) co_return no_such("upstream or group", filter.way);
    }
    // Of an account that was removed there may still be mail.
    if (!filter.account.empty() && !parts_.accounts.find(filter.account)) {
        const auto queued = co_await queued_by_account();
        if (!queued.contains(filter.account)) co_return no_such("account", filter.account);
    }
    co_return std::nullopt;
}

asio::awaitable<Response> Api::messages(const Request& request) {
    auto filter = read_filter(request);
    if (!filter) co_return error_response(400, filter.error());
    if (auto unknown = co_await names_unknown(*filter)) co_return std::move(*unknown);
    const auto views = co_await at_desk(
        parts_.delivery, [&filter, most = std::min(limit_of(request), longest_list)](
                             delivery::Desk& desk) { return desk.list(std::move(*filter), most); });
    json::array all;
    for (const auto& view : views) all.push_back(to_json(view));
    co_return json_response(all);
}

asio::awaitable<Response> Api::message(base::MessageId id, std::string_view what) {
    if (what == "content") co_return co_await content(id);
    if (!what.empty() && what != "why") co_return no_such("view", what);
    auto views =
        co_await at_desk(parts_.delivery, [id](delivery::Desk& desk) { return desk.show(id); });
    for (auto& view : views)
        if (view.state == "held") co_await add_hold(view);
    if (views.empty() && what == "why") co_return co_await why_gone(id);
    if (views.empty())
        co_return error_response(404, "message " + id.text() +
                                          " is not in the queue; `outpostctl why " + id.text() +
                                          "` tells what became of it");
    if (what == "why") {
        std::string why;
        for (const auto& view : views) why += (why.empty() ? "" : "; ") + view.reason;
        co_return json_response({{"id", id.text()}, {"why", why}});
    }
    json::array parts;
    for (const auto& view : views) parts.push_back(to_json(view));
    co_return json_response(parts);
}

asio::awaitable<Response> Api::content(base::MessageId id) {
    auto octets = co_await at_desk(
        parts_.delivery,
        [this, id](delivery::Desk&) -> awaitable<std::expected<std::string, std::string>> {
            auto stored = co_await parts_.spool.read(id);
            if (!stored) co_return std::unexpected(stored.error().reason);
            std::string all;
            for (;;) {
                const auto piece = co_await stored->body->next();
                if (!piece) co_return std::unexpected(piece.error());
                if (piece->empty()) co_return all;
                all += *piece;
            }
        });
    if (!octets) co_return error_response(404, octets.error());
    co_return Response{.status = 200, .content_type = "message/rfc822", .body = std::move(*octets)};
}

asio::awaitable<Response> Api::change(std::string_view what, const Request& request) {
    auto filter = read_filter(request);
    if (!filter) co_return error_response(400, filter.error());
    auto change = read_change(what, request);
    if (!change) co_return error_response(400, change.error());
    if (auto unknown = co_await names_unknown(*filter)) co_return std::move(*unknown);
    const bool all = request.query.contains("all");
    if (filter->empty() && !all)
        co_return error_response(400,
                                 "no message is named; name ids or a filter, or `all` (--all) "
                                 "for every message");
    change->reason = reason_of(request);
    const bool dry_run = change->dry_run;
    const auto changed =
        co_await at_desk(parts_.delivery, [&filter, &change](delivery::Desk& desk) {
            return desk.change(std::move(*filter), std::move(*change));
        });
    if (!changed) co_return error_response(404, changed.error());
    if (const auto error = all_absent(*changed)) co_return error_response(404, *error);
    if (!dry_run)
        base::log::info("operator", {{"does", std::string("queue ") + std::string(what)},
                                     {"messages", changed->done.size()},
                                     {"skipped", changed->skipped.size()},
                                     {"for", asked_for(request)},
                                     {"uid", request.uid},
                                     {"why", reason_of(request)}});
    co_return json_response(to_json(*changed, dry_run, limit_of(request)));
}

asio::awaitable<Response> Api::upstreams() {
    const auto views = co_await at_desk(
        parts_.delivery,
        [](delivery::Desk& desk) -> awaitable<std::vector<delivery::UpstreamView>> {
            co_return desk.upstreams();
        });
    json::array all;
    for (const auto& view : views) all.push_back(to_json(view));
    co_return json_response(all);
}

asio::awaitable<Response> Api::groups() {
    const auto views = co_await at_desk(
        parts_.delivery, [](delivery::Desk& desk) -> awaitable<std::vector<delivery::GroupView>> {
            co_return desk.groups();
        });
    json::array all;
    for (const auto& view : views) all.push_back(to_json(view));
    co_return json_response(all);
}

asio::awaitable<Response> Api::upstream(std::string_view name, std::string_view what,
                                        const Request& request) {
    if (what == "test") {
        const auto answer = co_await at_desk(
            parts_.delivery, [name](delivery::Desk& desk) { return desk.test(name); });
        if (!answer) co_return no_such("upstream", name);
        co_return json_response({{"upstream", name},
                                 {"ok", answer->error.empty()},
                                 {"error", answer->error},
                                 {"ended_suspension", answer->ended_suspension},
                                 {"state", answer->state}});
    }
    if (what == "send-test") co_return co_await send_test(name, request);
    if (what != "pause" && what != "resume") co_return no_such("change", what);
    const bool pause = what == "pause";
    const std::string reason = reason_of(request);
    const auto done = co_await parts_.pool.run(
        [&keeper = parts_.pauses, upstream = std::string(name), pause, reason] {
            return pause ? keeper.pause(upstream, reason) : keeper.resume(upstream);
        });
    if (!done) co_return error_response(503, "too much to do; try again in a moment");
    if (!*done) co_return error_response(done->error().unknown ? 404 : 500, done->error().text);
    base::log::info("operator", {{"does", std::string("upstream ") + std::string(what)},
                                 {"upstream", name},
                                 {"uid", request.uid},
                                 {"why", reason}});
    co_return json_response({{"upstream", name}, {"state", pause ? "paused" : "resumed"}});
}

}  // namespace outpost::control
