#include "store/pause_store.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <sysexits.h>

#include "base/error.hpp"

namespace outpost::store {

std::map<std::string, StoredPause> PauseStore::load() const {
    try {
        const auto connection = database_.connect();
        std::map<std::string, StoredPause> all;
        SQLite::Statement rows(*connection, "SELECT name, paused_at, reason FROM upstream_paused");
        while (rows.executeStep())
            all.emplace(rows.getColumn(0).getString(),
                        StoredPause{.since = base::WallTime(
                                        std::chrono::milliseconds(rows.getColumn(1).getInt64())),
                                    .reason = rows.getColumn(2).getString()});
        return all;
    } catch (const SQLite::Exception& e) {
        throw base::StartFailure(EX_IOERR,
                                 fmt::format("cannot read the paused upstreams from {}: {}",
                                             database_.file().string(), e.what()));
    }
}

std::expected<void, std::string> PauseStore::put(const std::string& upstream,
                                                 const StoredPause& pause) {
    return writer_.write([&upstream, &pause](SQLite::Database& connection) {
        SQLite::Statement row(connection,
                              "INSERT INTO upstream_paused (name, paused_at, reason) "
                              "VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
                              "reason = excluded.reason");
        row.bind(1, upstream);
        row.bind(2, static_cast<std::int64_t>(pause.since.time_since_epoch().count()));
        row.bind(3, pause.reason);
        row.exec();
    });
}

std::expected<void, std::string> PauseStore::remove(const std::string& upstream) {
    return writer_.write([&upstream](SQLite::Database& connection) {
        SQLite::Statement row(connection, "DELETE FROM upstream_paused WHERE name = ?");
        row.bind(1, upstream);
        row.exec();
    });
}

}  // namespace outpost::store
