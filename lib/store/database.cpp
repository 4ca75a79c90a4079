#include "store/database.hpp"

#include <SQLiteCpp/Database.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sysexits.h>

#include "base/error.hpp"
#include "store/migrations.hpp"
#include "store/private_file.hpp"

namespace outpost::store {

namespace {

constexpr int busy_timeout_ms = 5000;  ///< somebody may look into the file with a tool

[[noreturn]] void damaged(const std::filesystem::path& file, std::string_view why) {
    throw base::StartFailure(
        EX_DATAERR,
        fmt::format("{} is damaged ({}): restore it from a backup, or move it away together with "
                    "the -wal and -shm files beside it to start with an empty one, which knows "
                    "nothing of what limits have been used",
                    file.string(), why));
}

[[noreturn]] void unusable(const std::filesystem::path& file, const SQLite::Exception& error) {
    const int code = error.getErrorCode();
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) damaged(file, error.what());
    throw base::StartFailure(
        EX_IOERR, fmt::format("cannot use {}: {}; check its owner, mode and the space on its disk",
                              file.string(), error.what()));
}

void check_form(SQLite::Database& connection, const std::filesystem::path& file) {
    const int version = connection.execAndGet("PRAGMA user_version").getInt();
    if (version > newest_version()) {
        throw base::StartFailure(
            EX_DATAERR,
            fmt::format("{} has form {}, written by a newer version of outpostd; this one knows "
                        "forms up to {}: install the newer version, or restore the file as it was "
                        "before the upgrade",
                        file.string(), version, newest_version()));
    }
    if (const auto mode = connection.execAndGet("PRAGMA journal_mode").getString(); mode != "wal") {
        throw base::StartFailure(
            EX_IOERR, fmt::format("{} cannot have a write-ahead log (journal mode {}): data_dir "
                                  "must be on a local file system",
                                  file.string(), mode));
    }
    if (const auto result = connection.execAndGet("PRAGMA quick_check(1)").getString();
        result != "ok")
        damaged(file, result);
}

}  // namespace

Database::Database(std::filesystem::path file) : file_(std::move(file)) {
    create_private(file_);
    try {
        const auto connection = connect();
        check_form(*connection, file_);
        migrate(*connection);
    } catch (const SQLite::Exception& e) {
        unusable(file_, e);
    }
}

Database::~Database() = default;

std::unique_ptr<SQLite::Database> Database::connect() const {
    auto connection =
        std::make_unique<SQLite::Database>(file_.string(), SQLite::OPEN_READWRITE, busy_timeout_ms);
    connection->exec(
        "PRAGMA journal_mode = WAL;"
        "PRAGMA synchronous = FULL;"
        "PRAGMA foreign_keys = ON");
    return connection;
}

}  // namespace outpost::store
