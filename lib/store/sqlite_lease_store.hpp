#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "limit/lease.hpp"
#include "store/database.hpp"
#include "store/writer.hpp"

/// The counters of limits in the database of one machine: whatever is asked for is granted once it
/// is on stable storage.
namespace outpost::store {

class SqliteLeaseStore final : public limit::LeaseStore {
  public:
    /// All outlive it. Throws SQLite::Exception.
    SqliteLeaseStore(const Database& database, Writer& writer, const base::Clock& clock);
    /// Waits until all that was asked for is answered.
    ~SqliteLeaseStore() override;
    SqliteLeaseStore(const SqliteLeaseStore&) = delete;
    SqliteLeaseStore& operator=(const SqliteLeaseStore&) = delete;

    /// Throws base::StartFailure where the file cannot be read: taking a counter for new would let
    /// its limit be exceeded.
    std::optional<std::string> restore(const std::string& key) override;
    /// Requests that wait together are stored with one write, of each key the latest.
    void lease(limit::LeaseRequest request,
               std::function<void(const limit::LeaseAnswer&)> done) override;

  private:
    struct Pending {
        limit::LeaseRequest request;
        std::function<void(const limit::LeaseAnswer&)> done;
    };
    using Batch = std::vector<Pending>;

    void store(SQLite::Database& connection, Batch& batch);
    void take_waiting(Batch& batch);
    void answer(Batch& batch, const std::string& error);

    const base::Clock& clock_;
    Writer& writer_;
    std::string file_;
    std::mutex reading_;
    std::unique_ptr<SQLite::Database> reader_;
    std::mutex mutex_;
    std::condition_variable idle_;
    Batch waiting_;
    std::size_t jobs_ = 0;  ///< submitted, not answered
};

}  // namespace outpost::store
