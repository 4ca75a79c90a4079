#include "store/sqlite_lease_store.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <sysexits.h>

#include <map>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace outpost::store {

SqliteLeaseStore::SqliteLeaseStore(const Database& database, Writer& writer,
                                   const base::Clock& clock)
    : clock_(clock),
      writer_(writer),
      file_(database.file().string()),
      reader_(database.connect()) {}

SqliteLeaseStore::~SqliteLeaseStore() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return jobs_ == 0; });
}

std::optional<std::string> SqliteLeaseStore::restore(const std::string& key) {
    const std::lock_guard lock(reading_);
    try {
        SQLite::Statement query(*reader_, "SELECT state FROM counter WHERE key = ?");
        query.bindNoCopy(1, key);
        if (!query.executeStep()) return std::nullopt;
        return query.getColumn(0).getString();
    } catch (const SQLite::Exception& e) {
        throw base::StartFailure(
            EX_IOERR, fmt::format("cannot read the counter {} from {}: {}", key, file_, e.what()));
    }
}

void SqliteLeaseStore::lease(limit::LeaseRequest request,
                             std::function<void(const limit::LeaseAnswer&)> done) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back({std::move(request), std::move(done)});
        // The job that was submitted for the first that waits takes all of them.
        if (waiting_.size() > 1) return;
        ++jobs_;
    }
    auto batch = std::make_shared<Batch>();
    writer_.submit([this, batch](SQLite::Database& connection) { store(connection, *batch); },
                   [this, batch](const std::string& error) { answer(*batch, error); });
}

void SqliteLeaseStore::store(SQLite::Database& connection, Batch& batch) {
    take_waiting(batch);
    std::map<std::string_view, const std::string*> latest;
    for (const Pending& pending : batch) latest[pending.request.key] = &pending.request.state;

    const std::int64_t now = clock_.wall().time_since_epoch().count();
    SQLite::Statement insert(connection,
                             "INSERT INTO counter (key, state, stored_at) VALUES (?, ?, ?) "
                             "ON CONFLICT (key) DO UPDATE SET state = excluded.state, "
                             "stored_at = excluded.stored_at");
    for (const auto& [key, state] : latest) {
        insert.bind(1, std::string(key));
        insert.bindNoCopy(2, state->data(), static_cast<int>(state->size()));
        insert.bind(3, now);
        insert.exec();
        insert.reset();
    }
}

void SqliteLeaseStore::answer(Batch& batch, const std::string& error) {
    // The job has not run where its transaction could not begin or another job ended it.
    if (batch.empty()) take_waiting(batch);
    for (const auto& [request, done] : batch) {
        limit::LeaseAnswer answer;
        if (error.empty())
            answer.allowance = request.want;
        else
            answer.error = error;
        done(answer);
    }
    batch.clear();  // what callbacks hold must not outlive the store
    const std::lock_guard lock(mutex_);
    --jobs_;
    idle_.notify_all();  // under the lock: the store may be gone as soon as it is released
}

void SqliteLeaseStore::take_waiting(Batch& batch) {
    const std::lock_guard lock(mutex_);
    batch.swap(waiting_);
}

}  // namespace outpost::store
