#include "store/writer.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>

#include <future>
#include <stdexcept>

#include "sqlite_harness.hpp"

namespace outpost::store {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

struct WriterTest : SqliteTest {
    WriterTest() : database(file), writer(std::make_unique<Writer>(database)) {
        database.connect()->exec("CREATE TABLE word (text TEXT)");
    }

    /// Keeps the writer busy, so that what is submitted meanwhile shares a transaction.
    std::promise<void> hold() {
        std::promise<void> go;
        std::promise<void> begun;
        auto has_begun = begun.get_future();
        writer->submit(
            [gate = std::make_shared<std::future<void>>(go.get_future()),
             told = std::make_shared<std::promise<void>>(std::move(begun))](SQLite::Database&) {
                told->set_value();
                gate->wait();
            },
            [](const std::string&) {});
        has_begun.wait();
        return go;
    }
    void insert(const std::string& text) {
        writer->submit(
            [text](SQLite::Database& db) { db.exec("INSERT INTO word VALUES ('" + text + "')"); },
            [this](const std::string& error) { errors.add(error); });
    }
    [[nodiscard]] std::string words() const {
        return database.connect()
            ->execAndGet("SELECT coalesce(group_concat(text, ' '), '') FROM word")
            .getString();
    }

    Collected<std::string> errors;  // outlives the writer
    Database database;
    std::unique_ptr<Writer> writer;
};

TEST_F(WriterTest, TellsOnlyWhenAnotherConnectionSeesIt) {
    std::promise<std::string> seen;
    writer->submit([](SQLite::Database& db) { db.exec("INSERT INTO word VALUES ('a')"); },
                   [&](const std::string&) { seen.set_value(words()); });
    EXPECT_EQ(seen.get_future().get(), "a");
}

TEST_F(WriterTest, WhatWaitsSharesOneTransaction) {
    auto go = hold();
    insert("a");
    std::string within;
    writer->submit([&](SQLite::Database&) { within = words(); },
                   [&](const std::string& error) { errors.add(error); });
    go.set_value();
    errors.wait(2);
    EXPECT_EQ(within, "") << "the first job's row was committed before the second job ran";
    EXPECT_EQ(words(), "a");
}

TEST_F(WriterTest, AJobThatThrowsFailsAlone) {
    auto go = hold();
    insert("a");
    writer->submit(
        [](SQLite::Database& db) {
            db.exec("INSERT INTO word VALUES ('half')");
            throw std::runtime_error("no more");
        },
        [this](const std::string& error) { errors.add(error); });
    insert("b");
    go.set_value();
    EXPECT_THAT(errors.wait(3),
                ElementsAre("", AllOf(HasSubstr(file.string()), HasSubstr("no more")), ""));
    EXPECT_EQ(words(), "a b");
}

TEST_F(WriterTest, ACommitThatFailsFailsAllOfItsTransaction) {
    database.connect()->exec(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);"
        "CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)");
    auto go = hold();
    insert("a");
    writer->submit([](SQLite::Database& db) { db.exec("INSERT INTO child VALUES (1)"); },
                   [this](const std::string& error) { errors.add(error); });
    go.set_value();
    EXPECT_THAT(errors.wait(2), Each(HasSubstr("FOREIGN KEY constraint failed")));
    EXPECT_EQ(words(), "");
    insert("b");
    EXPECT_EQ(errors.wait(3).back(), "");
    EXPECT_EQ(words(), "b");
}

TEST_F(WriterTest, AFullDiskFailsWhatDoesNotFitAndLaterJobsGoOn) {
    auto limit_pages = [this](const std::string& value) {
        writer->submit(
            [value](SQLite::Database& db) { db.exec("PRAGMA max_page_count = " + value); },
            [](const std::string&) {});
    };
    limit_pages("1");  // as many as there are
    insert(std::string(100'000, 'x'));
    EXPECT_THAT(errors.wait(1).back(), AllOf(HasSubstr(file.string()), HasSubstr("full")));
    limit_pages("100000");
    insert("b");
    EXPECT_EQ(errors.wait(2).back(), "");
    EXPECT_EQ(words(), "b");
}

TEST_F(WriterTest, DoesWhatWaitsBeforeItEnds) {
    auto go = hold();
    insert("a");
    insert("b");
    go.set_value();
    writer.reset();
    EXPECT_THAT(errors.now(), ElementsAre("", ""));
    EXPECT_EQ(words(), "a b");
}

}  // namespace
}  // namespace outpost::store
