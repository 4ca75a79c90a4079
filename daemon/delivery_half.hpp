#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "delivery/dispatcher.hpp"
#include "limit/limiter.hpp"
#include "net/io_threads.hpp"
#include "net/offload.hpp"
#include "net/resolver.hpp"
#include "spool/spool.hpp"
#include "store/history.hpp"

namespace outpost {

/// The delivering half: transports and the dispatcher, all of it on one thread. After a reload
/// there are several dispatchers until the attempts of the earlier ones have ended.
class DeliveryHalf {
  public:
    /// Outlives it.
    struct World {
        spool::Spool& spool;
        net::OffloadPool& pool;
        limit::Limiter& limiter;
        store::History* history;  ///< null: none is kept
        const base::Clock& clock;
    };
    using Transports = delivery::Dispatcher::Transports;

    /// Throws base::StartFailure where an upstream cannot be used.
    DeliveryHalf(const World& world, const config::Config& config);
    ~DeliveryHalf();
    DeliveryHalf(const DeliveryHalf&) = delete;
    DeliveryHalf& operator=(const DeliveryHalf&) = delete;

    /// Before start(): an operator has paused these.
    void pause(delivery::Pauses pauses);
    void start();

    /// What another configuration needs. The error names the upstream.
    [[nodiscard]] std::expected<Transports, std::string> prepare(const config::Config& config);
    using Dispatcher = std::shared_ptr<delivery::Dispatcher>;
    /// For it; defines the counters of its limits, and throws what their store throws.
    [[nodiscard]] Dispatcher make(const config::Config& config, Transports transports);
    /// Goes on with that; what is under way ends by the one before. Not from the executor.
    void reload(const config::Config& config, Dispatcher heir);

    /// See delivery::Dispatcher. Not from the executor.
    void replace_accounts(const config::Config& config, delivery::Permits::Accounts limits);

    [[nodiscard]] boost::asio::any_io_executor executor() { return threads_[0].get_executor(); }
    /// The one that has the mail now. On the executor; it lasts as long as it is held there.
    [[nodiscard]] std::shared_ptr<delivery::Desk> desk() const {
        return {current_, &current_->desk()};
    }
    /// How many attempts did not finish within `limit`.
    std::size_t stop(std::chrono::milliseconds limit);

  private:
    boost::asio::awaitable<void> succeed(Dispatcher heir, std::set<std::string> same);
    boost::asio::awaitable<void> retire(Dispatcher before);
    boost::asio::awaitable<std::size_t> stop_all(std::chrono::milliseconds limit);

    World world_;
    std::map<std::string, config::Upstream> upstreams_;
    net::Resolver resolver_;
    net::IoThreads threads_;
    std::vector<Dispatcher> earlier_;  ///< oldest first
    Dispatcher current_;
};

}  // namespace outpost
