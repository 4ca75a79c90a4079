#include "store/history_table.hpp"

#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <stdexcept>

#include "store/private_file.hpp"

namespace outpost::store {

namespace {

constexpr int busy_timeout_ms = 5000;  ///< somebody may look into the file with a tool
constexpr int form = 1;

/// A later row has a higher number. The indexes on id, account and time grow at few places; only
/// that on the recipient is written all over.
constexpr const char* schema =
    "CREATE TABLE event ("
    "  number INTEGER PRIMARY KEY,"
    "  at INTEGER NOT NULL,"  // ms since 1970, UTC; as next_attempt
    "  id INTEGER NOT NULL,"  // base::MessageId
    "  result INTEGER NOT NULL,"
    "  account TEXT NOT NULL,"
    "  sender TEXT NOT NULL COLLATE NOCASE,"
    "  recipient TEXT NOT NULL COLLATE NOCASE,"
    "  upstream TEXT NOT NULL,"
    "  remote TEXT NOT NULL,"
    "  reply TEXT NOT NULL,"
    "  next_attempt INTEGER,"
    "  queue INTEGER NOT NULL,"  // microseconds, as those that follow
    "  read INTEGER NOT NULL,"
    "  connect INTEGER NOT NULL,"
    "  greeting INTEGER NOT NULL,"
    "  transfer INTEGER NOT NULL,"
    "  total INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX event_at ON event (at);"
    "CREATE INDEX event_id ON event (id);"
    "CREATE INDEX event_account ON event (account);"
    "CREATE INDEX event_recipient ON event (recipient)";

/// The file was written by a newer version.
struct UnknownForm : std::runtime_error {
    using std::runtime_error::runtime_error;
};

SQLite::Database open(const std::filesystem::path& file) {
    create_private(file);
    SQLite::Database connection(file.string(), SQLite::OPEN_READWRITE, busy_timeout_ms);
    // auto_vacuum comes before the first table. A power cut may cost the newest rows, not the file.
    // Checkpoints are few and large: rows of one recipient are far apart, pages are written often.
    connection.exec(
        "PRAGMA auto_vacuum = INCREMENTAL;"
        "PRAGMA journal_mode = WAL;"
        "PRAGMA synchronous = NORMAL;"
        "PRAGMA wal_autocheckpoint = 4000;"
        "PRAGMA journal_size_limit = 33554432;"
        "PRAGMA cache_size = -8192");
    const int version = connection.execAndGet("PRAGMA user_version").getInt();
    if (version > form)
        throw UnknownForm(fmt::format("it has form {}, this version knows {}", version, form));
    if (version == 0) {
        SQLite::Transaction transaction(connection, SQLite::TransactionBehavior::IMMEDIATE);
        connection.exec(schema);
        connection.exec(fmt::format("PRAGMA user_version = {}", form));
        transaction.commit();
    }
    return connection;
}

}  // namespace

bool is_damage(const std::exception& error) noexcept {
    const auto* const sqlite = dynamic_cast<const SQLite::Exception*>(&error);
    if (sqlite == nullptr) return dynamic_cast<const UnknownForm*>(&error) != nullptr;
    const int code = sqlite->getErrorCode();
    // SQLITE_ERROR: tables or columns are not there, somebody else's file.
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR;
}

std::filesystem::path set_aside(const std::filesystem::path& file, base::WallTime now) {
    const std::string to =
        fmt::format("{}.damaged-{}", file.string(), now.time_since_epoch().count());
    for (const char* const part : {"", "-wal", "-shm"}) {
        std::error_code ignored;  // the last two may not be there; the first is opened again
        std::filesystem::rename(file.string() + part, to + part, ignored);
    }
    return to;
}

HistoryTable::HistoryTable(const std::filesystem::path& file)
    : connection_(open(file)),
      insert_(connection_, "INSERT INTO event VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      remove_before_(connection_,
                     "DELETE FROM event WHERE number IN "
                     "(SELECT number FROM event WHERE at < ? ORDER BY at LIMIT ?)"),
      remove_oldest_(connection_,
                     "DELETE FROM event WHERE number IN "
                     "(SELECT number FROM event ORDER BY number LIMIT ?)") {}

std::int64_t HistoryTable::last_number() {
    return connection_.execAndGet("SELECT coalesce(max(number), 0) FROM event").getInt64();
}

std::int64_t HistoryTable::insert(const history::Entry& entry, std::int64_t last) {
    const history::Event& event = entry.event;
    const history::Latency& latency = event.latency;
    const std::string none;
    int column = 1;
    insert_.bind(++column, static_cast<std::int64_t>(event.at.time_since_epoch().count()));
    insert_.bind(++column, static_cast<std::int64_t>(event.id.value));
    insert_.bind(++column, static_cast<int>(event.result));
    insert_.bindNoCopy(++column, event.account);
    insert_.bindNoCopy(++column, event.sender);
    const int recipient = ++column;
    insert_.bindNoCopy(++column, event.upstream);
    insert_.bindNoCopy(++column, event.remote);
    insert_.bindNoCopy(++column, event.reply);
    if (event.next_attempt)
        insert_.bind(++column,
                     static_cast<std::int64_t>(event.next_attempt->time_since_epoch().count()));
    else
        insert_.bind(++column);
    for (const auto stage : {latency.queue, latency.read, latency.connect, latency.greeting,
                             latency.transfer, latency.total})
        insert_.bind(++column, static_cast<std::int64_t>(stage.count()));
    const auto put = [&](const std::string& address) {
        insert_.bind(1, ++last);
        insert_.bindNoCopy(recipient, address);
        insert_.exec();
        insert_.reset();
    };
    for (const std::string& address : entry.recipients) put(address);
    if (entry.recipients.empty()) put(none);
    return last;
}

std::size_t HistoryTable::remove_before(base::WallTime time, std::size_t most) {
    remove_before_.reset();
    remove_before_.bind(1, static_cast<std::int64_t>(time.time_since_epoch().count()));
    remove_before_.bind(2, static_cast<std::int64_t>(most));
    return static_cast<std::size_t>(remove_before_.exec());
}

std::size_t HistoryTable::remove_oldest(std::size_t most) {
    remove_oldest_.reset();
    remove_oldest_.bind(1, static_cast<std::int64_t>(most));
    return static_cast<std::size_t>(remove_oldest_.exec());
}

std::int64_t HistoryTable::number_of(const char* pragma) {
    return connection_.execAndGet(pragma).getInt64();
}

std::uint64_t HistoryTable::octets() {
    const auto used = number_of("PRAGMA page_count") - number_of("PRAGMA freelist_count");
    return static_cast<std::uint64_t>(used * number_of("PRAGMA page_size"));
}

void HistoryTable::shrink() {
    constexpr std::int64_t few = 1000;  // new rows will take them
    const auto free = number_of("PRAGMA freelist_count");
    if (free < few || free < number_of("PRAGMA page_count") / 4) return;
    SQLite::Statement vacuum(connection_, "PRAGMA incremental_vacuum(500)");
    while (vacuum.executeStep()) {
    }
}

}  // namespace outpost::store
