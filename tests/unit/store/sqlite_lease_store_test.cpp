#include "store/sqlite_lease_store.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>

#include <future>

#include "sqlite_harness.hpp"

namespace outpost::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct SqliteLeaseStoreTest : SqliteTest {
    SqliteLeaseStoreTest() { open(); }

    void open() {
        database = std::make_unique<Database>(file);
        writer = std::make_unique<Writer>(*database);
        store = std::make_unique<SqliteLeaseStore>(*database, *writer, clock);
    }
    void close() {
        store.reset();
        writer.reset();
        database.reset();
    }
    void ask(const std::string& key, const std::string& state, std::uint64_t want) {
        limit::LeaseRequest request;
        request.key = key;
        request.state = state;
        request.want = {want, want, want * 10};
        store->lease(std::move(request),
                     [this](const limit::LeaseAnswer& answer) { answers.add(answer); });
    }
    /// A statement on the writer's own connection; returns when it is done.
    void exec(const std::string& sql) {
        const std::size_t before = statements.now().size();
        writer->submit([sql](SQLite::Database& db) { db.exec(sql); },
                       [this](const std::string& error) { statements.add(error); });
        statements.wait(before + 1);
    }

    Collected<limit::LeaseAnswer> answers;  // outlives those that write to it
    Collected<std::string> statements;
    std::unique_ptr<Database> database;
    std::unique_ptr<Writer> writer;
    std::unique_ptr<SqliteLeaseStore> store;
};

TEST_F(SqliteLeaseStoreTest, KnowsNothingOfANewKey) {
    EXPECT_EQ(store->restore("upstream/a"), std::nullopt);
}

TEST_F(SqliteLeaseStoreTest, GrantsWhatIsWantedOnceItIsStored) {
    const std::string state("\0binary\xff", 8);
    ask("upstream/a", state, 5);
    EXPECT_EQ(answers.wait(1)[0].allowance, (limit::Usage{5, 5, 50}));
    EXPECT_EQ(answers.now()[0].error, "");
    EXPECT_EQ(store->restore("upstream/a"), state);
    close();
    open();
    EXPECT_EQ(store->restore("upstream/a"), state);
    EXPECT_EQ(store->restore("upstream/b"), std::nullopt);
}

TEST_F(SqliteLeaseStoreTest, TheLatestStateOfAKeyWinsAndAllAreAnswered) {
    std::promise<void> go;
    writer->submit([&](SQLite::Database&) { go.get_future().wait(); }, [](const std::string&) {});
    for (int i = 0; i < 100; ++i) {
        ask("a", "a" + std::to_string(i), 1);
        ask("b", "b" + std::to_string(i), 2);
    }
    go.set_value();
    for (const auto& answer : answers.wait(200)) EXPECT_EQ(answer.error, "");
    EXPECT_EQ(store->restore("a"), "a99");
    EXPECT_EQ(store->restore("b"), "b99");
}

TEST_F(SqliteLeaseStoreTest, AWriteThatFailsGrantsNothingAndTheNextTriesAgain) {
    ask("a", "old", 1);
    answers.wait(1);
    exec("PRAGMA max_page_count = 1");
    ask("a", std::string(100'000, 'x'), 5);
    const auto failed = answers.wait(2)[1];
    EXPECT_TRUE(failed.allowance.empty());
    EXPECT_THAT(failed.error, AllOf(HasSubstr(file.string()), HasSubstr("full")));
    EXPECT_EQ(store->restore("a"), "old");
    exec("PRAGMA max_page_count = 100000");
    ask("a", "new", 5);
    EXPECT_EQ(answers.wait(3)[2].error, "");
    EXPECT_EQ(store->restore("a"), "new");
}

TEST_F(SqliteLeaseStoreTest, ATransactionThatCannotBeginIsAnsweredToo) {
    exec("PRAGMA busy_timeout = 0");
    const auto other = database->connect();
    other->exec("BEGIN IMMEDIATE");
    ask("a", "x", 5);
    EXPECT_THAT(answers.wait(1)[0].error, HasSubstr("locked"));
    other->exec("ROLLBACK");
    ask("a", "y", 5);
    EXPECT_EQ(answers.wait(2)[1].error, "");
    EXPECT_EQ(store->restore("a"), "y");
}

TEST_F(SqliteLeaseStoreTest, ACounterThatCannotBeReadIsAnErrorNotANewOne) {
    exec("DROP TABLE counter");
    try {
        static_cast<void>(store->restore("upstream/a"));
        FAIL() << "taken for new";
    } catch (const base::StartFailure& e) {
        EXPECT_THAT(e.what(), AllOf(HasSubstr(file.string()), HasSubstr("upstream/a")));
    }
}

TEST_F(SqliteLeaseStoreTest, AnswersAllBeforeItEnds) {
    for (int i = 0; i < 50; ++i) ask("k" + std::to_string(i), "s", 1);
    store.reset();
    EXPECT_EQ(answers.now().size(), 50U);
}

}  // namespace
}  // namespace outpost::store
