// outpostd: puts the parts together, runs them, and takes them apart again. See outpostd(8).

#include <malloc.h>
#include <signal.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "account/authenticator.hpp"
#include "account/directory.hpp"
#include "account/directory_key.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "config/loader.hpp"
#include "control_half.hpp"
#include "delivery_half.hpp"
#include "limit_keeper.hpp"
#include "net/io_threads.hpp"
#include "net/listener.hpp"
#include "net/offload.hpp"
#include "net/tls_context.hpp"
#include "net/watchdog.hpp"
#include "spool/spool.hpp"
#include "submission/account_limits.hpp"
#include "submission/server.hpp"
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

std::shared_ptr<net::TlsServer> load_tls(const config::Config& config) {
    if (config.tls.certificates.empty()) return nullptr;
    std::vector<net::CertificateFiles> files;
    for (const auto& pair : config.tls.certificates) files.push_back({pair.certificate, pair.key});
    auto server = net::TlsServer::load(files, config.tls.min_version == config::TlsVersion::tls13);
    if (!server)
        throw base::StartFailure(EX_CONFIG, config.file + ": tls.certificates: " + server.error());
    return std::move(*server);
}

std::shared_ptr<const account::Directory> load_accounts(const config::Config& config) {
    auto key = account::directory_key(std::filesystem::path(config.data_dir) / "directory.key");
    if (!key) throw base::StartFailure(EX_CANTCREAT, "data_dir: " + key.error());
    return account::Directory::build(config, std::move(*key));
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

/// SIGTERM and SIGINT, caught from construction on.
class EndSignals {
  public:
    /// Blocks until one has come.
    void wait() {
        signals_.async_wait([](const boost::system::error_code&, int number) {
            base::log::info("stopping", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
        });
        context_.run();
    }

  private:
    boost::asio::io_context context_{1};
    boost::asio::signal_set signals_{context_, SIGTERM, SIGINT};
};

/// Tells systemd (WatchdogSec=) that the loops of both halves turn, until it goes. Does nothing
/// where nobody wants to know.
class ServiceWatchdog {
  public:
    explicit ServiceWatchdog(std::vector<boost::asio::any_io_executor> loops) {
        std::uint64_t limit = 0;
        if (sd_watchdog_enabled(0, &limit) <= 0) return;
        thread_.emplace(1, "watchdog");
        watchdog_.emplace(net::Watchdog::Parts{
            .executor = (*thread_)[0].get_executor(),
            .loops = std::move(loops),
            .interval = std::chrono::milliseconds(std::max<std::uint64_t>(limit / 1000 / 4, 1)),
            .alive = [] { sd_notify(0, "WATCHDOG=1"); }});
        watchdog_->start();
    }
    ~ServiceWatchdog() {
        if (thread_) thread_->stop();
    }
    ServiceWatchdog(const ServiceWatchdog&) = delete;
    ServiceWatchdog& operator=(const ServiceWatchdog&) = delete;

  private:
    std::optional<net::IoThreads> thread_;
    std::optional<net::Watchdog> watchdog_;
};

/// A fixed threshold: left alone, malloc raises it with the first large block that is freed, and
/// from then on keeps what growing tables have outgrown.
void keep_memory_small() {
    constexpr int threshold = 128 << 10;
    mallopt(M_MMAP_THRESHOLD, threshold);
    mallopt(M_TRIM_THRESHOLD, threshold);
}

int serve(const config::Config& config) {
    keep_memory_small();
    base::log::configure(config.log.level, config.log.format);
    signal(SIGPIPE, SIG_IGN);
    // Who started us may have it ignored, and then how a child ended could not be asked.
    signal(SIGCHLD, SIG_DFL);
    EndSignals end;
    net::raise_file_limit();
    const base::SystemClock clock;
    const auto tls = load_tls(config);
    account::Authenticator authenticator(load_accounts(config), config.submission, clock);

    net::OffloadPool login_pool(cores(), max_waiting_logins);
    net::OffloadPool file_pool(4, max_waiting_file_jobs);
    spool::PosixFileSystem files;
    const auto spool = open_spool(config, files, clock, file_pool);
    LimitKeeper limits(config, clock);
    const submission::AccountLimits account_limits(limits.limiter(), config.accounts);
    // Ends after the delivering half, in which what it asked for may still be under way.
    std::unique_ptr<ControlHalf> control;
    DeliveryHalf delivery({*spool, file_pool, limits.limiter(), clock}, std::make_shared<const config::Config>(config));

    net::IoThreads session_threads(cores() - 1, "submission");
    submission::Server server(submission::Services{.hostname = config.hostname,
                                                   .limits = config.submission,
                                                   .large_message = config.spool.large_message,
                                                   .authenticator = authenticator,
                                                   .account_limits = account_limits,
                                                   .spool = *spool,
                                                   .offload = login_pool,
                                                   .clock = clock,
                                                   .tls = tls,
                                                   .admission = submission::Admission::make(
                                                       {config.submission.max_connections,
                                                        config.submission.max_connections_per_ip})},
                              session_threads);
    control = std::make_unique<ControlHalf>(ControlHalf::World{.config = config,
                                                               .clock = clock,
                                                               .spool = *spool,
                                                               .delivery = delivery.executor(),
                                                               .desk = [&delivery] { return delivery.desk(); },
                                                               .authenticator = authenticator,
                                                               .limiter = limits.limiter(),
                                                               .tls = tls});
    server.open(config.listen);
    delivery.start();
    server.start();
    control->set_ready(true);
    base::log::info(
        "ready",
        {{"version", version}, {"hostname", config.hostname}, {"sockets", server.listening()}});
    sd_notify(0, "READY=1");
    // Goes first of all, while the loops that it asks are still there.
    std::vector<boost::asio::any_io_executor> loops{delivery.executor()};
    for (std::size_t i = 0; i < session_threads.size(); ++i)
        loops.emplace_back(session_threads[i].get_executor());
    const ServiceWatchdog watchdog(std::move(loops));

    end.wait();
    sd_notify(0, "STOPPING=1");
    control->set_ready(false);
    server.stop(grace);
    control->stop();
    const auto unfinished = delivery.stop(grace);
    limits.limiter().close();
    spool->close();
    login_pool.join();
    file_pool.join();
    base::log::info("stopped", {{"unfinished", unfinished}});
    return EX_OK;
}

int run(int argc, char** argv) {
    CLI::App app{"A relay for mail that applications submit. See outpostd(8)."};
    app.set_version_flag("--version", std::string("outpostd ") + version);
    std::string file = "/etc/outpost/outpost.yaml";
    bool check_only = false;
    app.add_option("--config", file, "The configuration, see outpost.yaml(5)")
        ->capture_default_str();
    app.add_flag("--check", check_only, "Report every fault of the configuration and exit");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? EX_OK : EX_USAGE;
    }

    const auto config = config::load(file);
    if (!config) {
        for (const auto& diagnostic : config.error()) std::cerr << diagnostic.text() << '\n';
        return EX_CONFIG;
    }
    if (!check_only) return serve(*config);
    load_tls(*config);
    std::cout << file << ": ok\n";
    return EX_OK;
}

}  // namespace
}  // namespace outpost

int main(int argc, char** argv) {
    try {
        return outpost::run(argc, argv);
    } catch (const outpost::base::StartFailure& e) {
        std::cerr << "outpostd: " << e.what() << '\n';
        return e.exit_code;
    } catch (const std::exception& e) {
        std::cerr << "outpostd: " << e.what() << '\n';
        return EX_SOFTWARE;
    }
}
