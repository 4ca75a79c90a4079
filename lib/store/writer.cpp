#include "store/writer.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <exception>
#include <future>
#include <utility>

namespace outpost::store {

namespace {

/// A full disk and the like make SQLite roll the whole transaction back by itself.
bool in_transaction(const SQLite::Database& connection) {
    return sqlite3_get_autocommit(connection.getHandle()) == 0;
}

}  // namespace

Writer::Writer(const Database& database)
    : file_(database.file().string()),
      connection_(database.connect()),
      thread_([this] { run(); }) {}

Writer::~Writer() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Writer::submit(Job job, Done done) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back({std::move(job), std::move(done), {}});
    }
    wake_.notify_one();
}

std::expected<void, std::string> Writer::write(Job job) {
    // Shared: who waits may be gone before set_value() has returned.
    const auto promise = std::make_shared<std::promise<std::string>>();
    auto done = promise->get_future();
    submit(std::move(job), [promise](const std::string& error) { promise->set_value(error); });
    const std::string error = done.get();
    if (!error.empty()) return std::unexpected(error);
    return {};
}

void Writer::run() {
    for (;;) {
        std::vector<Entry> batch;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            batch.swap(waiting_);
        }
        try {
            commit(batch);
        } catch (const std::exception& e) {
            // Nothing of the batch is stored; a job's own error says more than that.
            for (Entry& entry : batch)
                if (entry.error.empty()) entry.error = describe(e);
        }
        for (const Entry& entry : batch) entry.done(entry.error);
    }
}

void Writer::commit(std::vector<Entry>& batch) {
    SQLite::Transaction transaction(*connection_, SQLite::TransactionBehavior::IMMEDIATE);
    for (Entry& entry : batch) run_job(entry);
    transaction.commit();
}

void Writer::run_job(Entry& entry) {
    connection_->exec("SAVEPOINT job");
    try {
        entry.job(*connection_);
    } catch (const std::exception& e) {
        entry.error = describe(e);
        if (!in_transaction(*connection_)) throw;
        connection_->exec("ROLLBACK TO job");
    }
    connection_->exec("RELEASE job");
}

std::string Writer::describe(const std::exception& error) const {
    return fmt::format("cannot write {}: {}", file_, error.what());
}

}  // namespace outpost::store
