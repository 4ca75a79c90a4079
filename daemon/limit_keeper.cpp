#include "limit_keeper.hpp"

#include <fmt/format.h>
#include <sysexits.h>

#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "limit/boot_id.hpp"
#include "store/redis_lease_store.hpp"
#include "store/sqlite_lease_store.hpp"

namespace outpost {
namespace {

void log_quota(const std::string& key, const limit::Warning& warning) {
    base::log::warning("quota", {{"of", key},
                                 {"percent", warning.percent},
                                 {"used", warning.used},
                                 {"most", warning.most},
                                 {"resets", base::rfc3339(warning.resets)}});
}

void log_limit_store(const std::string& error) {
    if (error.empty()) {
        base::log::info("limits are stored again", {});
    } else {
        base::log::error("limits cannot be stored",
                         {{"reason", error},
                          {"result", "mail that is limited waits once its last lease is used up"}});
    }
}

/// Taken for new it would let its limit be exceeded.
[[noreturn]] void refuse_unreadable(const std::string& key, const std::string& why) {
    throw base::StartFailure(
        EX_DATAERR, fmt::format("limits: {} is damaged: {}; if what it has used so far may be "
                                "forgotten, remove it: sqlite3 DATA_DIR/outpost.db \"DELETE FROM "
                                "counter WHERE key = '{}'\"",
                                key, why, key));
}

store::RedisOptions redis_options(const config::LimitStore::Redis& from) {
    return {.address = {.host = from.host,
                        .port = from.port,
                        .database = from.database,
                        .password = from.password},
            .node = from.node,
            .share = from.share};
}

}  // namespace

LimitKeeper::LimitKeeper(const config::Config& config, const base::Clock& clock)
    : database_(std::filesystem::path(config.data_dir) / "outpost.db"), writer_(database_) {
    if (const auto& redis = config.limits.redis) {
        state_ = {.state = "on its own", .reason = "not connected yet"};
        store_ = std::make_unique<store::RedisLeaseStore>(
            redis_options(*redis), std::filesystem::path(config.data_dir) / "redis-node", clock,
            [this](bool away, const std::string& text) { redis_changed(away, text); });
    } else {
        store_ = std::make_unique<store::SqliteLeaseStore>(database_, writer_, clock);
    }
    limiter_.emplace(
        *store_, clock,
        limit::Limiter::Events{
            .warning = log_quota, .trouble = log_limit_store, .unreadable = refuse_unreadable},
        limit::read_boot_id());
}

control::LimitStoreState LimitKeeper::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

void LimitKeeper::redis_changed(bool away, const std::string& text) {
    const std::string state = away ? "on its own" : "shared";
    {
        const std::lock_guard lock(mutex_);
        state_ = {.state = state, .reason = away ? text : std::string()};
    }
    if (away)
        base::log::error("shared limits", {{"state", state}, {"reason", text}});
    else
        base::log::info("shared limits", {{"state", state}, {"what", text}});
}

}  // namespace outpost
