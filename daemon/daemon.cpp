#include "daemon.hpp"

#include <signal.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "account/directory.hpp"
#include "account/directory_key.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "limit/limit_change.hpp"
#include "net/listener.hpp"
#include "service_watchdog.hpp"
#include "version.hpp"

namespace outpost {
namespace {

/// How long what is on the wire may take to finish after SIGTERM; systemd's own limit is 90 s.
constexpr std::chrono::seconds grace{30};

/// PBKDF2 takes a millisecond or so: this many waiting are about a second's worth.
constexpr std::size_t max_waiting_logins = 1000;
constexpr std::size_t max_waiting_file_jobs = 100'000;

unsigned cores() {
    return std::max(2U, std::thread::hardware_concurrency());
}

std::shared_ptr<net::TlsServer> first_tls(const config::Config& config) {
    auto tls = load_tls(config);
    if (!tls) throw base::StartFailure(EX_CONFIG, tls.error());
    return std::move(*tls);
}

std::string load_directory_key(const config::Config& config) {
    auto key = account::directory_key(std::filesystem::path(config.data_dir) / "directory.key");
    if (!key) throw base::StartFailure(EX_CANTCREAT, "data_dir: " + key.error());
    return std::move(*key);
}

spool::Options spool_options(const config::Config& config) {
    return {.directory = std::filesystem::path(config.data_dir) / "spool",
            .segment_size = config.spool.segment_size,
            .large_message = config.spool.large_message,
            .min_free = config.spool.min_free};
}

void log_recovery(const spool::RecoveryReport& report) {
    for (const auto& note : report.notes) base::log::warning("spool damage", {{"what", note}});
    base::log::info("spool opened", {{"messages", report.messages},
                                     {"segments", report.segments},
                                     {"scanned", report.segments_scanned},
                                     {"damaged", report.damaged_records}});
}

std::unique_ptr<spool::Spool> open_spool(const config::Config& config, spool::FileSystem& files,
                                         const base::Clock& clock, net::OffloadPool& pool) {
    auto spool = spool::Spool::open(spool_options(config), files, clock, pool);
    if (!spool) throw base::StartFailure(EX_IOERR, "spool: " + spool.error());
    log_recovery((*spool)->recovery());
    return std::move(*spool);
}

/// Null if none is kept.
std::unique_ptr<store::History> open_history(const config::Config& config,
                                             const base::Clock& clock) {
    if (config.history.keep.count() == 0) return nullptr;
    return std::make_unique<store::History>(
        store::History::Options{.file = std::filesystem::path(config.data_dir) / "history.db",
                                .keep = config.history.keep,
                                .max_size = config.history.max_size},
        clock);
}

}  // namespace

Daemon::Daemon(const config::Config& file)
    : signals_(main_, SIGTERM, SIGINT, SIGHUP),
      certificate_timer_(main_),
      file_(file),
      tls_(first_tls(file)),
      tls_stamps_(stamps(file.tls)),
      directory_key_(load_directory_key(file)),
      login_pool_(cores(), max_waiting_logins),
      file_pool_(4, max_waiting_file_jobs),
      spool_(open_spool(file, files_, clock_, file_pool_)),
      limits_(file, clock_),
      account_store_(limits_.database(), limits_.writer()),
      pause_store_(limits_.database(), limits_.writer()),
      accounts_(account_store_, clock_, file, directory_key_),
      authenticator_(account::Directory::build(*accounts_.config(), directory_key_),
                     file.submission, clock_),
      account_limits_(limits_.limiter(), accounts_.config()->accounts),
      history_(open_history(file, clock_)),
      delivery_({*spool_, file_pool_, limits_.limiter(), history_.get(), clock_},
                *accounts_.config()),
      session_threads_(cores() - 1, "submission"),
      server_(services(file), session_threads_) {
    accounts_.on_change([this](const config::Config& changed) { use(changed, std::nullopt); });
    delivery_.pause(control::load_pauses(pause_store_));
    pauses_ = std::make_unique<control::PauseKeeper>(pause_store_, clock_, desk_access());
    control_ = std::make_unique<ControlHalf>(control_world(file));
    server_.open(file.listen);
}

submission::Services Daemon::services(const config::Config& config) {
    return {.hostname = config.hostname,
            .limits = config.submission,
            .large_message = config.spool.large_message,
            .authenticator = authenticator_,
            .account_limits = account_limits_,
            .spool = *spool_,
            .offload = login_pool_,
            .clock = clock_,
            .tls = tls_,
            .admission = submission::Admission::make(
                {config.submission.max_connections, config.submission.max_connections_per_ip})};
}

ControlHalf::World Daemon::control_world(const config::Config& config) {
    return {.config = config,
            .clock = clock_,
            .spool = *spool_,
            .delivery = desk_access(),
            .authenticator = authenticator_,
            .limiter = limits_.limiter(),
            .account_limits = account_limits_,
            .limit_store = [this] { return limits_.state(); },
            .tls = [this] { return tls(); },
            .accounts = accounts_,
            .pauses = *pauses_,
            .pool = file_pool_,
            .reload =
                [this](std::string reason) {
                    return boost::asio::co_spawn(
                        main_.get_executor(),
                        [this, reason = std::move(reason)]() -> boost::asio::awaitable<Reloaded> {
                            co_return reload("operator", reason);
                        },
                        boost::asio::use_awaitable);
                },
            .history = history_.get()};
}

control::DeskAccess Daemon::desk_access() {
    return {delivery_.executor(), [this] { return delivery_.desk(); }};
}

std::shared_ptr<net::TlsServer> Daemon::tls() const {
    const std::lock_guard lock(tls_mutex_);
    return tls_;
}

void Daemon::set_tls(std::shared_ptr<net::TlsServer> tls) {
    const std::lock_guard lock(tls_mutex_);
    tls_ = std::move(tls);
}

std::vector<boost::asio::any_io_executor> Daemon::loops() {
    std::vector<boost::asio::any_io_executor> all{delivery_.executor()};
    for (std::size_t i = 0; i < session_threads_.size(); ++i)
        all.emplace_back(session_threads_[i].get_executor());
    return all;
}

/// Counters that are new are read from their store, which may fail, so they come first; who can
/// sign in comes last: by then what limits them holds.
void Daemon::use(const config::Config& config, std::optional<DeliveryHalf::Transports> transports) {
    limit::LimitChange change(limits_.limiter());
    auto counters = account_limits_.define(config.accounts);
    auto permits = delivery::Permits::define(limits_.limiter(), config.accounts);
    auto heir = transports ? delivery_.make(config, std::move(*transports)) : nullptr;
    auto directory = account::Directory::build(config, directory_key_);
    change.keep();
    account_limits_.replace(std::move(counters));
    if (heir)
        delivery_.reload(config, std::move(heir));
    else
        delivery_.replace_accounts(config, std::move(permits));
    authenticator_.replace(std::move(directory));
    server_.accounts_changed();
}

void Daemon::await_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
        if (error) return;
        if (number == SIGHUP) {
            reload("SIGHUP", "");
            return await_signal();
        }
        base::log::info("stopping", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
        main_.stop();
    });
}

int Daemon::run() {
    delivery_.start();
    server_.start();
    control_->set_ready(true);
    if (accounts_.config()->accounts.empty())
        base::log::warning(
            "no accounts",
            {{"result", "nobody can submit mail; outpostctl account add makes one"}});
    base::log::info(
        "ready",
        {{"version", version}, {"hostname", file_.hostname}, {"sockets", server_.listening()}});
    sd_notify(0, "READY=1");
    {
        // Goes first of all, while the loops that it asks are still there.
        const ServiceWatchdog watchdog(loops());
        await_signal();
        watch_certificates();
        main_.run();
    }
    stopping_ = true;
    sd_notify(0, "STOPPING=1");
    control_->set_ready(false);
    server_.stop(grace);
    control_->stop();
    // A reload that somebody has asked for belongs to a thread that ends before main's context.
    main_.restart();
    main_.poll();
    const auto unfinished = delivery_.stop(grace);
    limits_.limiter().close();
    spool_->close();
    login_pool_.join();
    file_pool_.join();
    base::log::info("stopped", {{"unfinished", unfinished}});
    return EX_OK;
}

}  // namespace outpost
