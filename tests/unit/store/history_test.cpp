#include "store/history.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>

#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <random>

#include "base/metrics.hpp"
#include "sqlite_harness.hpp"

namespace outpost::store {
namespace {

using namespace std::chrono_literals;
using history::Entry;
using history::Query;
using history::Result;
using history::Row;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class HandClock final : public base::Clock {
  public:
    [[nodiscard]] base::WallTime wall() const override { return wall_; }
    [[nodiscard]] base::MonoTime mono() const override {
        return base::MonoTime(wall_.load().time_since_epoch());
    }
    void advance(std::chrono::milliseconds by) { wall_ = wall_.load() + by; }

  private:
    std::atomic<base::WallTime> wall_{base::WallTime(std::chrono::days(20'000))};
};

/// A counter of the process.
std::uint64_t counted(std::string_view name) {
    for (const auto& family : base::metrics::snapshot())
        if (family.name == name) return static_cast<std::uint64_t>(family.samples.at(0).value);
    ADD_FAILURE() << "there is no " << name;
    return 0;
}

struct HistoryTest : SqliteTest {
    HistoryTest() {
        options.file = directory / "history.db";
        options.keep = std::chrono::days(14);
        options.max_size = 1 << 30;
        options.gather = 0ms;
    }

    void begin() { log = std::make_unique<History>(options, clock); }

    [[nodiscard]] Entry entry(std::uint64_t id, std::vector<std::string> recipients = {"a@b.c"},
                              Result result = Result::delivered) const {
        return {.event = {.at = clock.wall(),
                          .id = {id},
                          .result = result,
                          .account = "app",
                          .sender = "news@example.com",
                          .upstream = "out",
                          .remote = "mx.b.c [192.0.2.1]:25",
                          .reply = "250 2.0.0 Ok"},
                .recipients = std::move(recipients)};
    }
    /// Until all that was put is written or lost.
    void settle() const {
        const auto end = std::chrono::steady_clock::now() + 30s;
        while (log->settled() < log->taken() && std::chrono::steady_clock::now() < end)
            std::this_thread::yield();
    }
    [[nodiscard]] std::vector<Row> found(const Query& query = {}) const {
        auto rows = log->find(query);
        EXPECT_TRUE(rows.has_value()) << rows.error();
        return rows.value_or(std::vector<Row>());
    }
    [[nodiscard]] std::vector<std::uint64_t> ids(const Query& query = {}) const {
        std::vector<std::uint64_t> all;
        for (const Row& row : found(query)) all.push_back(row.event.id.value);
        return all;
    }
    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& each : std::filesystem::directory_iterator(directory))
            names.push_back(each.path().filename().string());
        return names;
    }

    HandClock clock;
    History::Options options;
    std::unique_ptr<History> log;
};

TEST_F(HistoryTest, WhatWasPutIsReadBackWhole) {
    begin();
    Entry put = entry(7, {"one@example.net", "two@example.net"}, Result::deferred);
    put.event.next_attempt = clock.wall() + 5min;
    put.event.latency = {
        .queue = 1us, .read = 2us, .connect = 3us, .greeting = 4us, .transfer = 5us, .total = 6us};
    log->put(put);
    settle();
    EXPECT_THAT(found(), ElementsAre(Row{2, put.event, "two@example.net"},
                                     Row{1, put.event, "one@example.net"}));
    EXPECT_EQ(log->last(), 2);
}

TEST_F(HistoryTest, AnEventOfTheWholeMessageHasNoRecipient) {
    begin();
    log->put(entry(7, {}, Result::moved));
    settle();
    EXPECT_THAT(found(), ElementsAre(Row{1, entry(7, {}, Result::moved).event, ""}));
}

TEST_F(HistoryTest, OutlivesARestart) {
    begin();
    log->put(entry(1));
    log.reset();
    begin();
    log->put(entry(2));
    settle();
    EXPECT_THAT(found(),
                ElementsAre(Row{2, entry(2).event, "a@b.c"}, Row{1, entry(1).event, "a@b.c"}));
}

TEST_F(HistoryTest, EveryFilterFindsItsRows) {
    begin();
    Entry other = entry(2, {"Ann@Example.ORG"}, Result::bounced);
    other.event.account = "shop";
    other.event.sender = "x@shop.example";
    other.event.upstream = "ses";
    log->put(entry(1, {"a@example.net"}));
    clock.advance(1h);
    other.event.at = clock.wall();
    log->put(other);
    settle();
    EXPECT_THAT(ids({.id = base::MessageId{2}}), ElementsAre(2));
    EXPECT_THAT(ids({.account = "app"}), ElementsAre(1));
    EXPECT_THAT(ids({.sender = "X@shop.example"}), ElementsAre(2));
    EXPECT_THAT(ids({.sender = "@shop.example"}), ElementsAre(2));
    EXPECT_THAT(ids({.recipient = "ann@example.org"}), ElementsAre(2));
    EXPECT_THAT(ids({.recipient = "@EXAMPLE.net"}), ElementsAre(1));
    EXPECT_THAT(ids({.upstream = "ses"}), ElementsAre(2));
    EXPECT_THAT(ids({.result = Result::bounced}), ElementsAre(2));
    EXPECT_THAT(ids({.since = clock.wall()}), ElementsAre(2));
    EXPECT_THAT(ids({.until = clock.wall() - 1ms}), ElementsAre(1));
    EXPECT_THAT(ids({.since = clock.wall() + 1ms}), IsEmpty());
    EXPECT_THAT(ids({.until = clock.wall() - 1h - 1ms}), IsEmpty());
    EXPECT_THAT(ids({.id = base::MessageId{2}, .account = "app", .recipient = "ann@example.org"}),
                IsEmpty());
}

TEST_F(HistoryTest, PagesGoBackAndFollowersGoOn) {
    begin();
    for (std::uint64_t id = 1; id <= 5; ++id) log->put(entry(id));
    settle();
    EXPECT_THAT(ids({.limit = 2}), ElementsAre(5, 4));
    EXPECT_THAT(ids({.before = 4, .limit = 2}), ElementsAre(3, 2));
    EXPECT_THAT(ids({.after = 2, .limit = 2}), ElementsAre(3, 4));
    EXPECT_THAT(ids({.after = 3, .before = 5}), ElementsAre(4));
}

/// Filters against a plain search through all that was put.
TEST_F(HistoryTest, FindsWhatAPlainSearchFinds) {
    std::mt19937 random(20'250'101);
    const auto one_of = [&](std::uint32_t count) { return random() % count; };
    begin();
    std::vector<Row> all;
    for (std::uint64_t i = 0; i < 400; ++i) {
        clock.advance(std::chrono::seconds(one_of(3)));
        Entry put = entry(one_of(50), {fmt::format("r{}@d{}.test", one_of(20), one_of(3))},
                          static_cast<Result>(one_of(5)));
        put.event.account = fmt::format("account{}", one_of(3));
        all.insert(all.begin(), {static_cast<std::int64_t>(i + 1), put.event, put.recipients[0]});
        log->put(std::move(put));
    }
    settle();
    for (int turn = 0; turn < 200; ++turn) {
        Query query{.limit = 1 + one_of(60)};
        if (one_of(2) == 0) query.account = fmt::format("account{}", one_of(4));
        if (one_of(3) == 0) query.recipient = fmt::format("r{}@d{}.test", one_of(20), one_of(3));
        if (one_of(3) == 0) query.result = static_cast<Result>(one_of(5));
        if (one_of(4) == 0) query.id = base::MessageId{one_of(50)};
        if (one_of(3) == 0) query.since = clock.wall() - std::chrono::seconds(one_of(400));
        if (one_of(3) == 0) query.until = clock.wall() - std::chrono::seconds(one_of(400));
        std::vector<Row> expected;
        for (const Row& row : all) {
            const bool fits = (query.account.empty() || row.event.account == query.account) &&
                              (query.recipient.empty() || row.recipient == query.recipient) &&
                              (!query.result || row.event.result == *query.result) &&
                              (!query.id || row.event.id == *query.id) &&
                              (!query.since || row.event.at >= *query.since) &&
                              (!query.until || row.event.at <= *query.until);
            if (fits && expected.size() < query.limit) expected.push_back(row);
        }
        ASSERT_EQ(found(query), expected) << "turn " << turn;
    }
}

TEST_F(HistoryTest, OldRowsGo) {
    begin();
    for (std::uint64_t id = 1; id <= 3000; ++id) log->put(entry(id));
    settle();
    clock.advance(std::chrono::days(14) + 1ms);
    log->put(entry(5000));
    settle();
    // In steps, of which the idle writer makes as many as there are.
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (ids({.limit = 10'000}).size() > 1 && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    EXPECT_THAT(ids(), ElementsAre(5000));
}

TEST_F(HistoryTest, TheOldestRowsGoWhenTheFileIsFull) {
    options.max_size = 1 << 20;
    begin();
    for (std::uint64_t id = 1; id <= 20'000; ++id) {
        log->put(entry(id));
        if (id % 1000 == 0) settle();
    }
    settle();
    const auto left = ids({.limit = 20'000});
    ASSERT_FALSE(left.empty());
    EXPECT_EQ(left.front(), 20'000);
    EXPECT_THAT(left, SizeIs(testing::AllOf(testing::Gt(1000U), testing::Lt(15'000U))));
    EXPECT_EQ(left.back(), 20'000 - left.size() + 1);
    EXPECT_LT(std::filesystem::file_size(options.file), 3U << 20);
}

TEST_F(HistoryTest, WhatDoesNotFitIntoMemoryIsLostAndCounted) {
    options.most_waiting = 10'000;
    options.gather = 1h;  // nothing is written before it is asked for
    begin();
    testing::internal::CaptureStderr();
    constexpr std::uint64_t count = 1000;
    const std::uint64_t written_before = counted("outpost_history_written_total");
    const std::uint64_t lost_before = counted("outpost_history_lost_total");
    for (std::uint64_t id = 1; id <= count; ++id) log->put(entry(id));
    const std::uint64_t lost = log->lost();
    EXPECT_EQ(log->taken() + lost, count);
    log->hurry();
    settle();
    const std::string lines = testing::internal::GetCapturedStderr();
    EXPECT_GT(lost, count / 2);
    EXPECT_THAT(ids({.limit = count}), SizeIs(count - lost));
    EXPECT_EQ(counted("outpost_history_lost_total") - lost_before, lost);
    EXPECT_EQ(counted("outpost_history_written_total") - written_before, count - lost);
    // One line for all within a minute.
    EXPECT_THAT(lines, HasSubstr("history incomplete"));
    EXPECT_EQ(lines.find("history incomplete"), lines.rfind("history incomplete"));
    log->put(entry(count + 1));
    log->hurry();
    settle();
    EXPECT_EQ(ids({.limit = 1}).front(), count + 1);
}

TEST_F(HistoryTest, ADamagedFileIsSetAside) {
    std::ofstream(options.file) << std::string(100'000, 'x');
    begin();
    log->put(entry(1));
    settle();
    EXPECT_THAT(ids(), ElementsAre(1));
    EXPECT_THAT(files(), testing::Contains(HasSubstr("history.db.damaged-")));
    EXPECT_EQ(log->lost(), 0U);
}

TEST_F(HistoryTest, AFileOfANewerVersionIsSetAside) {
    begin();
    log->put(entry(1));
    log.reset();
    SQLite::Database(options.file.string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 9");
    begin();
    log->put(entry(2));
    settle();
    EXPECT_THAT(ids(), ElementsAre(2));
}

TEST_F(HistoryTest, DamageThatASearchMeetsIsSetAside) {
    begin();
    for (std::uint64_t id = 1; id <= 5000; ++id) log->put(entry(id));
    log.reset();
    {
        std::fstream file(options.file, std::ios::in | std::ios::out | std::ios::binary);
        // In the middle, where neither the writer's start nor a new row comes by.
        const auto size = std::filesystem::file_size(options.file);
        file.seekp(static_cast<std::streamoff>(size * 2 / 5));
        file << std::string(size / 5, '\xA5');
    }
    begin();
    const auto rows = log->find({.limit = 10'000});
    ASSERT_FALSE(rows.has_value());
    EXPECT_THAT(rows.error(), AllOf(HasSubstr("history.db"), HasSubstr("malformed")));
    log->put(entry(9000));
    settle();
    EXPECT_THAT(ids(), ElementsAre(9000));
    EXPECT_GT(found().front().number, 0);
}

TEST_F(HistoryTest, AFileThatCannotBeWrittenCostsNothingButTheHistory) {
    std::filesystem::create_directory(options.file);
    begin();
    log->put(entry(1));
    settle();
    EXPECT_EQ(log->lost(), 1U);
    std::filesystem::remove(options.file);
    log->put(entry(2));
    settle();
    EXPECT_THAT(ids(), ElementsAre(2));
}

TEST_F(HistoryTest, RowsOfAnUnknownKindAreLeftOut) {
    begin();
    log->put(entry(1));
    log->put(entry(2));
    log.reset();
    SQLite::Database(options.file.string(), SQLite::OPEN_READWRITE)
        .exec("UPDATE event SET result = 200 WHERE id = 1");
    begin();
    EXPECT_THAT(ids(), ElementsAre(2));
}

TEST_F(HistoryTest, IsForNobodyElseToRead) {
    begin();
    log->put(entry(1));
    settle();
    for (const char* const part : {"", "-wal"}) {
        const auto mode = std::filesystem::status(options.file.string() + part).permissions();
        EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
            << part;
    }
}

}  // namespace
}  // namespace outpost::store
