#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <functional>

#include "base/log.hpp"
#include "control/api.hpp"
#include "control/history_views.hpp"
#include "control/json_views.hpp"

namespace outpost::control {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

/// A follower's request is answered after that at the latest, so that it notices who has gone.
constexpr auto longest_wait = 25s;
/// For what was put just before: a slow disk does not hold up an answer for longer.
constexpr auto longest_settling = 2s;
constexpr std::size_t most_of_one_message = 10'000;

/// Asks every now and then, so that nobody has to be told across threads, nor any more at the end.
asio::awaitable<void> poll(std::function<bool()> done, std::chrono::milliseconds every,
                           std::chrono::milliseconds limit) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (auto waited = 0ms; waited < limit && !done(); waited += every) {
        timer.expires_after(every);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

}  // namespace

/// What happened until now is in what find() sees.
asio::awaitable<void> Api::settle_history() {
    store::History& log = *parts_.history;
    const auto goal = log.taken();
    if (log.settled() >= goal) co_return;
    log.hurry();
    co_await poll([&] { return log.settled() >= goal; }, 5ms, longest_settling);
}

asio::awaitable<Api::Rows> Api::find_history(history::Query query) {
    auto rows = co_await parts_.pool.run(
        [&log = *parts_.history, query = std::move(query)] { return log.find(query); });
    if (!rows) co_return std::unexpected("too much is read just now; try again");
    co_return std::move(*rows);
}

asio::awaitable<Response> Api::history(const Request& request) {
    if (parts_.history == nullptr)
        co_return error_response(404, "no history is kept; history.keep is 0");
    auto query = read_history_query(request, parts_.clock.wall());
    if (!query) co_return error_response(400, query.error());
    store::History& log = *parts_.history;
    if (query->after && request.query.contains("wait"))
        co_await poll([&] { return log.last() > *query->after; }, 100ms, longest_wait);
    else
        co_await settle_history();
    std::int64_t last = log.last();
    // What is written while this is answered is for the next time.
    if (query->after && !query->before) query->before = last + 1;
    const bool goes_on = query->after.has_value();
    const std::size_t limit = query->limit;
    const auto rows = co_await find_history(std::move(*query));
    if (!rows) co_return error_response(503, rows.error());

    const bool full = rows->size() == limit;
    json::array events;
    for (const auto& row : *rows) events.push_back(to_json(row));
    json::object answer{{"events", std::move(events)},
                        {"before", nullptr},
                        {"last", goes_on && full ? rows->back().number : last},
                        {"lost", log.lost()}};
    if (!goes_on && full) answer["before"] = rows->back().number;
    co_return json_response(answer);
}

asio::awaitable<void> Api::add_hold(delivery::MessageView& view) {
    if (parts_.history == nullptr) co_return;
    co_await settle_history();
    const auto rows =
        co_await find_history({.id = view.id, .result = history::Result::held, .limit = 1});
    if (!rows || rows->empty()) co_return;
    const history::Event& event = rows->front().event;
    view.reason = "held by an operator since " + base::rfc3339_seconds(event.at) +
                  (event.reply.empty() ? "" : ": " + event.reply) + "; `outpostctl queue release " +
                  view.id.text() + "` ends that";
}

asio::awaitable<Response> Api::why_gone(base::MessageId id) {
    const std::string absent = "message " + id.text() + " is not in the queue";
    if (parts_.history == nullptr)
        co_return error_response(404, absent + "; the log tells what became of it");
    co_await settle_history();
    const auto rows = co_await find_history({.id = id, .limit = most_of_one_message});
    if (!rows) co_return error_response(503, absent + "; " + rows.error());
    const std::string became = what_became(*rows);
    if (became.empty()) co_return error_response(404, absent + " and not in the history");
    co_return json_response({{"id", id.text()}, {"why", became}});
}

}  // namespace outpost::control
