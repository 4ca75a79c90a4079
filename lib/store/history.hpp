#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "history/event.hpp"

namespace outpost::store {

class HistoryTable;

/// What has happened to messages, in an SQLite file of its own. No promise: what cannot be written
/// is lost, with a warning in the log; mail never waits for it.
class History final : public history::Sink {
  public:
    struct Options {
        std::filesystem::path file;
        std::chrono::milliseconds keep;  ///< older rows are removed
        std::uint64_t max_size = 0;      ///< octets; over it the oldest rows are removed
        /// Octets that may wait in memory; what comes beyond is lost.
        std::size_t most_waiting = 16 << 20;
        /// The writer waits so long for others that share a transaction.
        std::chrono::milliseconds gather{250};
    };
    /// Never fails: what is wrong with the file is logged, once there is something to write.
    History(Options options, const base::Clock& clock);
    /// Writes what waits.
    ~History() override;
    History(const History&) = delete;
    History& operator=(const History&) = delete;

    void put(history::Entry entry) override;

    /// Rows that fit. Blocks for up to some seconds. The error is for the operator.
    [[nodiscard]] std::expected<std::vector<history::Row>, std::string> find(
        const history::Query& query);
    /// The number of the newest row that find() can see; 0: none, or not known yet.
    [[nodiscard]] std::int64_t last() const noexcept { return last_; }

    /// Entries that were put so far.
    [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }
    /// Of those in their order: how many are written or lost by now.
    [[nodiscard]] std::uint64_t settled() const noexcept { return settled_; }
    /// Has what waits written without waiting for more.
    void hurry();
    /// Entries that were lost since the start.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

  private:
    struct Batch {
        std::vector<history::Entry> entries;
        std::size_t octets = 0;
    };

    void run();
    Batch take();
    void write(const Batch& batch);
    void try_write(const Batch& batch);
    void begin_anew(const std::string& why);
    void retain(std::size_t written);
    void lose(std::size_t entries, const std::string& why);
    void report_lost(bool now);

    const Options options_;
    const base::Clock& clock_;
    std::shared_mutex file_;  ///< held alone while the file is moved away

    std::mutex mutex_;
    std::condition_variable wake_;
    Batch waiting_;
    bool hurried_ = false;
    bool ending_ = false;

    std::mutex report_;
    std::uint64_t unreported_ = 0;
    std::string why_lost_;
    base::MonoTime last_report_ = base::MonoTime::min();

    std::atomic<std::int64_t> last_{0};
    std::atomic<std::uint64_t> taken_{0};
    std::atomic<std::uint64_t> settled_{0};
    std::atomic<std::uint64_t> lost_{0};
    std::atomic<bool> suspect_{false};  ///< find() met damage
    std::unique_ptr<HistoryTable> table_;
    bool more_to_remove_ = false;
    std::thread thread_;
};

}  // namespace outpost::store
