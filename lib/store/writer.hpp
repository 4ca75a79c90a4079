#pragma once

#include <condition_variable>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/database.hpp"

/// The one thread that writes the database. All jobs that wait go into one transaction, so that
/// they share one sync of the disk.
namespace outpost::store {

class Writer {
  public:
    /// Runs on the writer's thread within a transaction. Throws to fail: then nothing of this job
    /// stays, and the others of its transaction go on.
    using Job = std::function<void(SQLite::Database&)>;
    /// After the commit: empty, or why nothing of the job was stored (file and SQLite's words).
    /// Called on the writer's thread, may submit.
    using Done = std::function<void(const std::string& error)>;

    /// Throws SQLite::Exception. The database outlives it.
    explicit Writer(const Database& database);
    /// Does what waits, then ends. Nothing may be submitted any more, but from a Done.
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Thread-safe, never waits for the disk. Jobs run in order.
    void submit(Job job, Done done);
    /// The same, and waits for its end. Not from the writer's thread.
    [[nodiscard]] std::expected<void, std::string> write(Job job);

  private:
    struct Entry {
        Job job;
        Done done;
        std::string error;
    };

    void run();
    void commit(std::vector<Entry>& batch);
    void run_job(Entry& entry);
    [[nodiscard]] std::string describe(const std::exception& error) const;

    std::string file_;
    std::unique_ptr<SQLite::Database> connection_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<Entry> waiting_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace outpost::store
