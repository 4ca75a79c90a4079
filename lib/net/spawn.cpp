#include "net/spawn.hpp"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "base/log.hpp"

namespace outpost::net {

void spawn(const boost::asio::any_io_executor& executor, boost::asio::awaitable<void> work,
           std::string what) {
    boost::asio::co_spawn(
        executor, std::move(work), [what = std::move(what)](const std::exception_ptr& error) {
            if (!error) return;
            try {
                std::rethrow_exception(error);
            } catch (const std::exception& e) {
                base::log::error("internal error", {{"in", what}, {"what", e.what()}});
            } catch (...) {
                base::log::error("internal error", {{"in", what}, {"what", "unknown exception"}});
            }
        });
}

}  // namespace outpost::net
