#include <systemd/sd-daemon.h>

#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "config/changes.hpp"
#include "config/loader.hpp"
#include "daemon.hpp"

/// A new configuration while outpostd runs: all of it or nothing, and no connection is dropped.
namespace outpost {
namespace {

/// So that a certificate that was renewed is in use within a minute.
constexpr std::chrono::seconds certificate_interval{10};

/// Whether the dispatcher goes by something else.
bool delivers_otherwise(const config::Config& before, const config::Config& after) {
    return before.hostname != after.hostname || before.upstreams != after.upstreams ||
           before.groups != after.groups || before.routes != after.routes ||
           before.retry != after.retry || before.dsn != after.dsn || before.spool != after.spool;
}

std::vector<std::string> texts(const std::vector<config::Diagnostic>& diagnostics) {
    std::vector<std::string> lines;
    for (const auto& diagnostic : diagnostics) lines.push_back(diagnostic.text());
    return lines;
}

}  // namespace

struct Daemon::Plan {
    std::shared_ptr<net::TlsServer> tls;
    std::vector<FileStamp> tls_stamps;
    std::optional<DeliveryHalf::Transports> transports;  ///< nothing: it delivers as before
    submission::Server::Listeners listeners;
};

std::expected<Daemon::Plan, std::vector<std::string>> Daemon::plan(const config::Config& file) {
    const auto one = [](std::string text) { return std::unexpected(std::vector{std::move(text)}); };
    if (auto fixed = config::fixed_while_running(file_, file); !fixed.empty())
        return std::unexpected(std::move(fixed));
    Plan plan;
    plan.tls_stamps = stamps(file.tls);
    auto tls = load_tls(file);
    if (!tls) return one(std::move(tls.error()));
    plan.tls = std::move(*tls);
    if (delivers_otherwise(file_, file)) {
        auto transports = delivery_.prepare(file);
        if (!transports) return one(std::move(transports.error()));
        plan.transports = std::move(*transports);
    }
    try {
        plan.listeners = server_.prepare(file.listen);
    } catch (const base::StartFailure& failure) {
        return one(failure.what());
    }
    return plan;
}

/// Only the first step may fail; it changes nothing then.
void Daemon::apply(const config::Config& config, Plan& plan) {
    use(config, std::move(plan.transports));
    if (plan.tls) set_tls(plan.tls);
    tls_stamps_ = std::move(plan.tls_stamps);
    server_.reload({.hostname = config.hostname, .limits = config.submission, .tls = plan.tls},
                   std::move(plan.listeners));
    base::log::configure(config.log.level, config.log.format);
}

void Daemon::load_again(Reloaded& result) {
    auto loaded = config::load(file_.file, fault_of);
    if (!loaded) {
        result.errors = texts(loaded.error());
        return;
    }
    auto planned = plan(*loaded);
    if (!planned) {
        result.errors = std::move(planned.error());
        return;
    }
    const auto done =
        accounts_.reload(*loaded, [&](const config::Config& config) { apply(config, *planned); });
    if (!done) {
        result.errors = done.error();
        return;
    }
    result.changes = config::changes(file_, *loaded);
    file_ = std::move(*loaded);
}

Daemon::Reloaded Daemon::reload(const std::string& by, const std::string& reason) {
    if (stopping_) return {.changes = {}, .errors = {"outpostd is stopping"}};
    sd_notify(0, "RELOADING=1");
    Reloaded result;
    try {
        load_again(result);
    } catch (const std::exception& e) {
        // Of the store of the limits, which is asked for counters that are new.
        result.errors.emplace_back(e.what());
    }
    for (const auto& error : result.errors) base::log::error("reload", {{"fault", error}});
    for (const auto& change : result.changes) base::log::info("reload", {{"changed", change}});
    if (result.errors.empty())
        base::log::info("reloaded",
                        {{"by", by}, {"changes", result.changes.size()}, {"why", reason}});
    else
        base::log::error(
            "not reloaded",
            {{"by", by}, {"result", "the configuration that was in use stays so, all of it"}});
    sd_notify(0, "READY=1");
    return result;
}

void Daemon::watch_certificates() {
    certificate_timer_.expires_after(certificate_interval);
    certificate_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        look_at_certificates();
        watch_certificates();
    });
}

void Daemon::look_at_certificates() {
    auto now = stamps(file_.tls);
    if (now == tls_stamps_) return;
    tls_stamps_ = std::move(now);
    auto tls = load_tls(file_);
    if (!tls) {
        base::log::error("certificates have changed and cannot be used",
                         {{"reason", tls.error()},
                          {"result",
                           "the old ones stay in use; looked at again when the files "
                           "change"}});
        return;
    }
    set_tls(*tls);
    server_.use_certificates(std::move(*tls));
    base::log::info("certificates loaded again", {{"files", file_.tls.certificates.size()}});
}

}  // namespace outpost
