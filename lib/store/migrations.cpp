#include "store/migrations.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include <array>

namespace outpost::store {

namespace {

/// Step n makes form n + 1 out of form n. A step that was released never changes: a new one goes to
/// the end.
constexpr std::array steps{
    // What has been used of the limits, by owner.
    "CREATE TABLE counter ("
    "  key TEXT PRIMARY KEY,"
    "  state BLOB NOT NULL,"        // limit::LeaseRequest::state
    "  stored_at INTEGER NOT NULL"  // ms since 1970, UTC
    ") STRICT",
    // Accounts made at run time. One that was removed stays, without its password, for the sake of
    // what it has in the queue.
    "CREATE TABLE account ("
    "  name TEXT PRIMARY KEY,"
    "  password_hash TEXT NOT NULL,"  // RFC 5803; empty once removed
    "  created_at INTEGER NOT NULL,"  // ms since 1970, UTC, like all times
    "  changed_at INTEGER NOT NULL,"
    "  removed_at INTEGER"
    ") STRICT;"
    "CREATE TABLE account_setting ("
    "  account TEXT NOT NULL REFERENCES account ON DELETE CASCADE,"
    "  option TEXT NOT NULL,"  // config::AccountOption::name
    "  value TEXT NOT NULL,"
    "  PRIMARY KEY (account, option)"
    ") STRICT, WITHOUT ROWID;"
    // By an operator; those of the configuration's files too.
    "CREATE TABLE account_disabled ("
    "  name TEXT PRIMARY KEY,"
    "  disabled_at INTEGER NOT NULL"
    ") STRICT",
    // By an operator; also such as are not in the configuration just now.
    "CREATE TABLE upstream_paused ("
    "  name TEXT PRIMARY KEY,"
    "  paused_at INTEGER NOT NULL,"
    "  reason TEXT NOT NULL"
    ") STRICT",
};

}  // namespace

int newest_version() noexcept {
    return static_cast<int>(steps.size());
}

void migrate(SQLite::Database& connection) {
    const int version = connection.execAndGet("PRAGMA user_version").getInt();
    for (int step = version; step < newest_version(); ++step) {
        SQLite::Transaction transaction(connection, SQLite::TransactionBehavior::IMMEDIATE);
        connection.exec(steps.at(static_cast<std::size_t>(step)));
        connection.exec(fmt::format("PRAGMA user_version = {}", step + 1));
        transaction.commit();
    }
}

}  // namespace outpost::store
