#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "account/authenticator.hpp"
#include "base/clock.hpp"
#include "config/types.hpp"
#include "control/account_keeper.hpp"
#include "control/pause_keeper.hpp"
#include "control_half.hpp"
#include "delivery_half.hpp"
#include "limit_keeper.hpp"
#include "net/io_threads.hpp"
#include "net/offload.hpp"
#include "net/tls_context.hpp"
#include "spool/spool.hpp"
#include "store/account_store.hpp"
#include "store/history.hpp"
#include "store/pause_store.hpp"
#include "submission/account_limits.hpp"
#include "submission/server.hpp"
#include "tls_files.hpp"

namespace outpost {

/// All parts of outpostd and how they are put together, changed by a reload, and taken apart.
class Daemon {
  public:
    /// Opens everything; throws base::StartFailure.
    explicit Daemon(const config::Config& file);
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Until SIGTERM or SIGINT; returns the exit code.
    int run();

  private:
    using Reloaded = control::Api::Reloaded;
    /// What a new configuration needs that may fail.
    struct Plan;

    void await_signal();
    void watch_certificates();
    void look_at_certificates();
    /// What goes by accounts, and a delivery that has `transports` if there are some. All of it,
    /// or nothing if it throws.
    void use(const config::Config& config, std::optional<DeliveryHalf::Transports> transports);
    void load_again(Reloaded& result);
    Reloaded reload(const std::string& by, const std::string& reason);
    std::expected<Plan, std::vector<std::string>> plan(const config::Config& file);
    void apply(const config::Config& config, Plan& plan);
    [[nodiscard]] submission::Services services(const config::Config& config);
    [[nodiscard]] ControlHalf::World control_world(const config::Config& config);
    [[nodiscard]] control::DeskAccess desk_access();
    [[nodiscard]] std::shared_ptr<net::TlsServer> tls() const;
    void set_tls(std::shared_ptr<net::TlsServer> tls);
    [[nodiscard]] std::vector<boost::asio::any_io_executor> loops();

    boost::asio::io_context main_{1};
    std::atomic<bool> stopping_{false};
    boost::asio::signal_set signals_;
    boost::asio::steady_timer certificate_timer_;
    base::SystemClock clock_;
    config::Config file_;  ///< as it was loaded last
    mutable std::mutex tls_mutex_;
    std::shared_ptr<net::TlsServer> tls_;
    std::vector<FileStamp> tls_stamps_;  ///< of the files as they were when they were looked at
    std::string directory_key_;
    net::OffloadPool login_pool_;
    net::OffloadPool file_pool_;
    spool::PosixFileSystem files_;
    std::unique_ptr<spool::Spool> spool_;
    LimitKeeper limits_;
    store::AccountStore account_store_;
    store::PauseStore pause_store_;
    control::AccountKeeper accounts_;
    account::Authenticator authenticator_;
    submission::AccountLimits account_limits_;
    std::unique_ptr<store::History> history_;  ///< null: none is kept
    std::unique_ptr<control::PauseKeeper> pauses_;
    // Ends after the delivering half, in which what it asked for may still be under way.
    std::unique_ptr<ControlHalf> control_;
    DeliveryHalf delivery_;
    net::IoThreads session_threads_;
    submission::Server server_;
};

}  // namespace outpost
