#include "store/account_store.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <sysexits.h>

#include "base/error.hpp"

namespace outpost::store {
namespace {

/// The form of the database that has these tables.
constexpr int first_version = 2;

std::int64_t number(base::WallTime time) {
    return time.time_since_epoch().count();
}

base::WallTime time(std::int64_t number) {
    return base::WallTime(std::chrono::milliseconds(number));
}

StoredAccounts read(SQLite::Database& connection) {
    StoredAccounts all;
    SQLite::Statement accounts(
        connection, "SELECT name, password_hash, created_at, changed_at, removed_at FROM account");
    while (accounts.executeStep()) {
        StoredAccount account{.name = accounts.getColumn(0).getString(),
                              .password_hash = accounts.getColumn(1).getString(),
                              .settings = {},
                              .created = time(accounts.getColumn(2).getInt64()),
                              .changed = time(accounts.getColumn(3).getInt64())};
        if (!accounts.isColumnNull(4)) account.removed = time(accounts.getColumn(4).getInt64());
        all.accounts.emplace(account.name, std::move(account));
    }
    SQLite::Statement settings(connection, "SELECT account, option, value FROM account_setting");
    while (settings.executeStep()) {
        const auto account = all.accounts.find(settings.getColumn(0).getString());
        if (account != all.accounts.end())
            account->second.settings.emplace(settings.getColumn(1).getString(),
                                             settings.getColumn(2).getString());
    }
    SQLite::Statement disabled(connection, "SELECT name, disabled_at FROM account_disabled");
    while (disabled.executeStep())
        all.disabled.emplace(disabled.getColumn(0).getString(),
                             time(disabled.getColumn(1).getInt64()));
    return all;
}

void put_row(SQLite::Database& connection, const StoredAccount& account) {
    SQLite::Statement row(
        connection,
        "INSERT INTO account (name, password_hash, created_at, changed_at, removed_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
        "password_hash = excluded.password_hash, created_at = excluded.created_at, "
        "changed_at = excluded.changed_at, removed_at = excluded.removed_at");
    row.bind(1, account.name);
    row.bind(2, account.password_hash);
    row.bind(3, number(account.created));
    row.bind(4, number(account.changed));
    if (account.removed) row.bind(5, number(*account.removed));
    row.exec();
}

void put_settings(SQLite::Database& connection, const StoredAccount& account) {
    SQLite::Statement clear(connection, "DELETE FROM account_setting WHERE account = ?");
    clear.bind(1, account.name);
    clear.exec();
    SQLite::Statement insert(
        connection, "INSERT INTO account_setting (account, option, value) VALUES (?, ?, ?)");
    for (const auto& [option, value] : account.settings) {
        insert.bind(1, account.name);
        insert.bind(2, option);
        insert.bind(3, value);
        insert.exec();
        insert.reset();
    }
}

void enable(SQLite::Database& connection, const std::string& name) {
    SQLite::Statement row(connection, "DELETE FROM account_disabled WHERE name = ?");
    row.bind(1, name);
    row.exec();
}

}  // namespace

std::expected<StoredAccounts, std::string> read_accounts(const std::filesystem::path& file) {
    std::error_code error;
    if (!std::filesystem::exists(file, error) && !error) return StoredAccounts{};
    try {
        SQLite::Database connection(file.string(), SQLite::OPEN_READONLY);
        if (connection.execAndGet("PRAGMA user_version").getInt() < first_version)
            return StoredAccounts{};
        return read(connection);
    } catch (const SQLite::Exception& e) {
        return std::unexpected(
            fmt::format("cannot read the accounts from {}: {}", file.string(), e.what()));
    }
}

StoredAccounts AccountStore::load() const {
    try {
        return read(*database_.connect());
    } catch (const SQLite::Exception& e) {
        throw base::StartFailure(EX_IOERR, fmt::format("cannot read the accounts from {}: {}",
                                                       database_.file().string(), e.what()));
    }
}

std::expected<void, std::string> AccountStore::put(const StoredAccount& account) {
    return writer_.write([&account](SQLite::Database& connection) {
        put_row(connection, account);
        put_settings(connection, account);
        if (account.removed) enable(connection, account.name);
    });
}

std::expected<void, std::string> AccountStore::set_disabled(const std::string& name,
                                                            std::optional<base::WallTime> at) {
    return writer_.write([&name, at](SQLite::Database& connection) {
        enable(connection, name);
        if (!at) return;
        SQLite::Statement row(connection,
                              "INSERT INTO account_disabled (name, disabled_at) VALUES (?, ?)");
        row.bind(1, name);
        row.bind(2, number(*at));
        row.exec();
    });
}

}  // namespace outpost::store
