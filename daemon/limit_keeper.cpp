#include "limit_keeper.hpp"

#include <fmt/format.h>
#include <sysexits.h>

#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "limit/boot_id.hpp"

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

}  // namespace

LimitKeeper::LimitKeeper(const config::Config& config, const base::Clock& clock)
    : database_(std::filesystem::path(config.data_dir) / "outpost.db"),
      writer_(database_),
      store_(database_, writer_, clock),
      limiter_(store_, clock,
               {.warning = log_quota, .trouble = log_limit_store, .unreadable = refuse_unreadable},
               limit::read_boot_id()) {}

}  // namespace outpost
