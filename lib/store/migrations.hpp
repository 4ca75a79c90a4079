#pragma once

namespace SQLite {
class Database;
}

/// The form of the database (`PRAGMA user_version`), step by step.
namespace outpost::store {

[[nodiscard]] int newest_version() noexcept;
/// Takes the steps that are missing, each as a whole or not at all. Throws SQLite::Exception.
void migrate(SQLite::Database& connection);

}  // namespace outpost::store
