// outpostd: puts the parts together, runs them, and takes them apart again. See outpostd(8).

#include <malloc.h>
#include <signal.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "account/authenticator.hpp"
#include "account/directory.hpp"
#include "account/directory_key.hpp"
#include "account/sasl_client.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "config/loader.hpp"
#include "control_half.hpp"
#include "delivery/dispatcher.hpp"
#include "limit_keeper.hpp"
#include "net/io_threads.hpp"
#include "net/listener.hpp"
#include "net/offload.hpp"
#include "net/resolver.hpp"
#include "net/tls_context.hpp"
#include "spool/spool.hpp"
#include "store/history.hpp"
#include "submission/account_limits.hpp"
#include "submission/server.hpp"
#include "upstream/factory.hpp"
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

/// Runs `make()` on `context`, waits for its coroutine, and hands its result over.
template <class Make>
auto run_on(boost::asio::io_context& context, Make make) {
    return boost::asio::co_spawn(context, std::move(make), boost::asio::use_future).get();
}

/// The delivering half: transports and the dispatcher, all of it on one thread.
class DeliveryHalf {
  public:
    struct World {
        const config::Config& config;
        spool::Spool& spool;
        net::OffloadPool& pool;
        limit::Limiter& limiter;
        store::History* history;
        const base::Clock& clock;
    };

    explicit DeliveryHalf(const World& world) : resolver_(world.pool), threads_(1, "delivery") {
        const upstream::Facilities facilities{.context = threads_[0],
                                              .resolver = resolver_,
                                              .pool = world.pool,
                                              .clock = world.clock,
                                              .sasl = &account::make_sasl_client,
                                              .hostname = world.config.hostname,
                                              .limits = {}};
        delivery::Dispatcher::Transports transports;
        for (const auto& [name, upstream] : world.config.upstreams) {
            auto transport = upstream::make_transport(upstream, facilities);
            if (!transport)
                throw base::StartFailure(EX_CONFIG, "upstreams." + name + ": " + transport.error());
            transports.emplace(name, std::move(*transport));
        }
        std::uint64_t seed = 0;
        base::random_octets(sizeof seed).copy(reinterpret_cast<char*>(&seed), sizeof seed);
        dispatcher_ = std::make_unique<delivery::Dispatcher>(
            delivery::Dispatcher::Parts{.executor = threads_[0].get_executor(),
                                        .spool = world.spool,
                                        .clock = world.clock,
                                        .limiter = world.limiter,
                                        .alarm = delivery::make_alarm(threads_[0].get_executor()),
                                        .seed = seed,
                                        .history = world.history},
            world.config, std::move(transports));
    }

    ~DeliveryHalf() {
        // Transports and what hangs on them belong to the thread; nothing runs there any more.
        threads_.stop();
        dispatcher_.reset();
    }
    DeliveryHalf(const DeliveryHalf&) = delete;
    DeliveryHalf& operator=(const DeliveryHalf&) = delete;

    void start() {
        run_on(threads_[0], [this]() -> boost::asio::awaitable<void> {
            dispatcher_->start();
            co_return;
        });
    }
    [[nodiscard]] boost::asio::any_io_executor executor() { return threads_[0].get_executor(); }
    [[nodiscard]] delivery::Desk& desk() { return dispatcher_->desk(); }
    /// How many attempts did not finish within `limit`.
    std::size_t stop(std::chrono::milliseconds limit) {
        return run_on(threads_[0], [this, limit] { return dispatcher_->stop(limit); });
    }

  private:
    net::Resolver resolver_;
    net::IoThreads threads_;
    std::unique_ptr<delivery::Dispatcher> dispatcher_;
};

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
    const auto history = open_history(config, clock);
    // Ends after the delivering half, in which what it asked for may still be under way.
    std::unique_ptr<ControlHalf> control;
    DeliveryHalf delivery({config, *spool, file_pool, limits.limiter(), history.get(), clock});

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
                                                               .desk = delivery.desk(),
                                                               .authenticator = authenticator,
                                                               .limiter = limits.limiter(),
                                                               .history = history.get(),
                                                               .pool = file_pool});
    server.open(config.listen);
    delivery.start();
    server.start();
    control->set_ready(true);
    base::log::info(
        "ready",
        {{"version", version}, {"hostname", config.hostname}, {"sockets", server.listening()}});
    sd_notify(0, "READY=1");

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
