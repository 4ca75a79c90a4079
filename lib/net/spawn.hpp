#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>

namespace outpost::net {

/// Starts `work` on `executor`; its frame keeps what it was given by value. An exception that
/// leaves it is logged as an error under the name `what` and ends that coroutine only.
void spawn(const boost::asio::any_io_executor& executor, boost::asio::awaitable<void> work,
           std::string what);

}  // namespace outpost::net
