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
