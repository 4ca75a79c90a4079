#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "delivery/desk.hpp"

namespace outpost::control {

/// Where the mail is; a reload puts another desk in its place.
struct DeskAccess {
    boost::asio::any_io_executor executor;
    /// The desk that has the mail now; called on the executor.
    std::function<std::shared_ptr<delivery::Desk>()> current;
};

/// Runs the coroutine `make(desk)` on the desk's executor, and keeps the desk until it has ended.
template <class Make>
auto at_desk(const DeskAccess& access, Make make) {
    auto with_desk =
        [current = access.current,
         make = std::move(make)]() mutable -> std::invoke_result_t<Make&, delivery::Desk&> {
        const auto desk = current();
        co_return co_await make(*desk);
    };
    return boost::asio::co_spawn(access.executor, std::move(with_desk), boost::asio::use_awaitable);
}

}  // namespace outpost::control
