#include "store/history.hpp"

#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "store/history_query.hpp"
#include "store/history_table.hpp"

namespace outpost::store {

namespace {

using namespace std::chrono_literals;
namespace metrics = base::metrics;

metrics::Single<metrics::Counter> entries_written("outpost_history_written_total",
                                                  "Events written to the history.");
metrics::Single<metrics::Counter> entries_lost("outpost_history_lost_total",
                                               "Events that could not be written to the history.");

constexpr std::size_t large_batch = 4000;  ///< entries: reason enough to write
constexpr auto idle_turn = 60s;            ///< between looks for what is too old
constexpr auto report_every = 60s;
/// Rows removed at once: a fraction of a second's work, then new rows have their turn.
constexpr std::size_t removal_step = 500;

std::size_t octets_of(const history::Entry& entry) {
    const history::Event& event = entry.event;
    std::size_t octets = sizeof entry + event.account.size() + event.sender.size() +
                         event.upstream.size() + event.remote.size() + event.reply.size();
    for (const std::string& recipient : entry.recipients)
        octets += sizeof recipient + recipient.size();
    return octets;
}

}  // namespace

History::History(Options options, const base::Clock& clock)
    : options_(std::move(options)), clock_(clock), thread_([this] { run(); }) {}

History::~History() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
    report_lost(true);
}

void History::put(history::Entry entry) {
    const std::size_t octets = octets_of(entry);
    std::size_t waiting = 0;
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.octets + octets <= options_.most_waiting) {
            waiting_.entries.push_back(std::move(entry));
            waiting_.octets += octets;
            waiting = waiting_.entries.size();
            ++taken_;
        }
    }
    if (waiting == 0) {
        lose(1, "the disk does not keep up with what happens");
        report_lost(false);
    } else if (waiting == 1 || waiting == large_batch) {
        wake_.notify_one();
    }
}

void History::hurry() {
    {
        const std::lock_guard lock(mutex_);
        hurried_ = true;
    }
    wake_.notify_one();
}

std::expected<std::vector<history::Row>, std::string> History::find(const history::Query& query) {
    const std::shared_lock lock(file_);
    auto rows = store::find(options_.file, query);
    if (rows) return std::move(*rows);
    if (rows.error().damaged) {
        suspect_ = true;
        hurry();
    }
    return std::unexpected(std::move(rows.error().reason));
}

void History::run() {
    write({});  // opens the file: which row is the newest is known from now on
    for (;;) {
        const Batch batch = take();
        if (batch.entries.empty() && ending_) return;
        write(batch);
        retain(batch.entries.size());
        settled_ += batch.entries.size();
        report_lost(false);
    }
}

History::Batch History::take() {
    std::unique_lock lock(mutex_);
    const auto begun = [this] { return ending_ || hurried_ || !waiting_.entries.empty(); };
    wake_.wait_for(lock, more_to_remove_ ? 0s : idle_turn, begun);
    if (!waiting_.entries.empty())
        wake_.wait_for(lock, options_.gather, [this] {
            return ending_ || hurried_ || waiting_.entries.size() >= large_batch;
        });
    hurried_ = false;
    return std::exchange(waiting_, {});
}

void History::write(const Batch& batch) {
    try {
        if (suspect_.exchange(false)) begin_anew("a search met damage in it");
        try_write(batch);
        return;
    } catch (const std::exception& e) {
        if (!is_damage(e)) {
            table_.reset();
            return lose(batch.entries.size(), e.what());
        }
        begin_anew(e.what());
    }
    try {
        try_write(batch);
    } catch (const std::exception& e) {
        table_.reset();
        lose(batch.entries.size(), e.what());
    }
}

void History::try_write(const Batch& batch) {
    if (!table_) {
        table_ = std::make_unique<HistoryTable>(options_.file);
        // Numbers go on even if the file was begun anew: somebody may follow.
        last_ = std::max<std::int64_t>(last_, table_->last_number());
    }
    if (batch.entries.empty()) return;
    std::int64_t last = last_;
    SQLite::Transaction transaction(table_->connection(), SQLite::TransactionBehavior::IMMEDIATE);
    for (const history::Entry& entry : batch.entries) last = table_->insert(entry, last);
    transaction.commit();
    last_ = last;
    entries_written->add(batch.entries.size());
}

void History::begin_anew(const std::string& why) {
    table_.reset();
    const std::unique_lock lock(file_);
    const auto to = set_aside(options_.file, clock_.wall());
    base::log::warning(
        "history begun anew",
        {{"file", options_.file.string()}, {"reason", why}, {"moved to", to.string()}});
}

void History::retain(std::size_t written) {
    more_to_remove_ = false;
    if (!table_) return;
    // As much as has come and more: what is over does not grow under load.
    const std::size_t step = removal_step + 2 * written;
    try {
        std::size_t removed = table_->remove_before(clock_.wall() - options_.keep, step);
        if (removed == 0 && table_->octets() > options_.max_size)
            removed = table_->remove_oldest(step);
        more_to_remove_ = removed == step;
        table_->shrink();
    } catch (const std::exception& e) {
        suspect_ = is_damage(e);
        table_.reset();
        base::log::warning("history not tidied up",
                           {{"file", options_.file.string()}, {"reason", e.what()}});
    }
}

void History::lose(std::size_t entries, const std::string& why) {
    if (entries == 0) return;
    lost_ += entries;
    entries_lost->add(entries);
    const std::lock_guard lock(report_);
    unreported_ += entries;
    why_lost_ = why;
}

void History::report_lost(bool now) {
    const std::lock_guard lock(report_);
    if (unreported_ == 0) return;
    const base::MonoTime time = clock_.mono();
    if (!now && last_report_ != base::MonoTime::min() && time - last_report_ < report_every) return;
    base::log::warning(
        "history incomplete",
        {{"lost", unreported_}, {"file", options_.file.string()}, {"reason", why_lost_}});
    unreported_ = 0;
    last_report_ = time;
}

}  // namespace outpost::store
