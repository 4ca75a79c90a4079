#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "spool_harness.hpp"

namespace outpost::spool {
namespace {

using testing::HasSubstr;

TEST(Spool, GivesBackWhatItStored) {
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    const Sample sample = make_sample(1, 2000, 3);
    const auto id = harness.spool().next_id();
    ASSERT_TRUE(harness.store(id, sample));
    EXPECT_EQ(harness.compare(id, sample), "");  // from memory
    EXPECT_EQ(harness.compare(id, sample), "");  // from disk
    const auto message = harness.read(id);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->state.recipients.size(), 3U);
}

TEST(Spool, TellsWhereAMessageStandsWithoutReadingIt) {
    FaultyFiles disk;
    Tuning slow = quick();
    slow.state_delay = std::chrono::hours(1);
    Harness harness;
    ASSERT_TRUE(harness.start(disk, small_segments(), slow));
    const auto stands = [&](base::MessageId id) {
        return harness.await(harness.spool().stored_state(id)).value();
    };
    const auto id = harness.spool().next_id();
    ASSERT_TRUE(harness.store(id, make_sample(1, 2000, 2)));
    EXPECT_EQ(stands(id), std::nullopt) << "never tried";
    harness.spool().record(id, decided_state(2, 1));
    EXPECT_EQ(stands(id), decided_state(2, 1)) << "not durable yet";
    harness.stop();
    ASSERT_TRUE(harness.start(disk));
    EXPECT_EQ(stands(id), decided_state(2, 1)) << "from the disk";
    harness.spool().record(id, pending_state(2, 2));
    EXPECT_EQ(stands(id), pending_state(2, 2));
    EXPECT_EQ(stands(base::MessageId{id.value + 1}), std::nullopt);
}

TEST(Spool, FindsAfterARestartWhatWasNotFinished) {
    FaultyFiles disk;
    std::map<base::MessageId, Sample> stored;
    {
        Harness harness;
        ASSERT_TRUE(harness.start(disk));
        for (std::uint64_t i = 0; i < 20; ++i) {
            const auto id = harness.spool().next_id();
            stored[id] = make_sample(i, 100 + i * 50);
            ASSERT_TRUE(harness.store(id, stored[id]));
        }
        const auto done = stored.begin()->first;
        harness.spool().record(done, done_state(1));
        stored.erase(done);
        harness.spool().record(stored.begin()->first, pending_state(1, 7));
    }
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    ASSERT_EQ(harness.recovered().size(), stored.size());
    for (const auto& [id, sample] : stored) {
        ASSERT_TRUE(harness.recovered().contains(id));
        EXPECT_EQ(harness.recovered().at(id).account, sample.envelope.account);
        EXPECT_EQ(harness.recovered().at(id).size, sample.octets.size());
        EXPECT_EQ(harness.compare(id, sample), "");
    }
    EXPECT_EQ(harness.recovered().begin()->second.attempts, 7);
    EXPECT_EQ(harness.read(stored.begin()->first)->state, pending_state(1, 7));
    EXPECT_EQ(harness.spool().recovery().segments_scanned, 0U);
    EXPECT_GT(harness.spool().next_id(), stored.rbegin()->first);
}

TEST(Spool, TellsWhatItTakesUpOnTheDisk) {
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    const auto one = harness.spool().next_id();
    ASSERT_TRUE(harness.store(one, make_sample(1, 5000)));
    ASSERT_TRUE(harness.store(harness.spool().next_id(), make_sample(2, 3000)));
    const DiskUse two = harness.spool().disk_use();
    EXPECT_EQ(two.messages, 2U);
    EXPECT_EQ(two.segments, 1U);
    EXPECT_EQ(two.large_files, 0U);
    EXPECT_GT(two.segment_octets, 8000U);
    EXPECT_TRUE(two.free_octets);
    harness.spool().record(one, done_state(1));
    EXPECT_EQ(harness.spool().disk_use().messages, 1U);
}

TEST(Spool, ShowsTheNewestStateBeforeItIsDurable) {
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    const auto id = harness.spool().next_id();
    ASSERT_TRUE(harness.store(id, make_sample(1, 100, 2)));
    for (std::uint8_t attempt = 1; attempt < 50; ++attempt) {
        harness.spool().record(id, pending_state(2, attempt));
        ASSERT_EQ(harness.read(id)->state, pending_state(2, attempt));
    }
}

TEST(Spool, TellsWhatBecameDurableInEachCommit) {
    FaultyFiles disk;
    std::mutex mutex;
    std::vector<Summary> told;  // outlives the committer
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    harness.spool().on_stored([&](std::span<const Summary> stored) {
        const std::lock_guard lock(mutex);
        told.insert(told.end(), stored.begin(), stored.end());
    });
    std::vector<std::pair<base::MessageId, Sample>> messages;
    for (std::uint64_t i = 0; i < 10; ++i)
        messages.emplace_back(harness.spool().next_id(), make_sample(i, 300, 2));
    for (const auto& stored : harness.store_all(messages)) EXPECT_TRUE(stored);
    ASSERT_TRUE(disk.wait_until([&] {
        const std::lock_guard lock(mutex);
        return told.size() == messages.size();
    }));
    EXPECT_EQ(told[0].recipients, 2U);
    EXPECT_EQ(told[0].priority, messages[0].second.envelope.priority);
}

TEST(Spool, HoldsAMessageUntilItsReleaseWhateverHappens) {
    FaultyFiles disk;
    std::mutex mutex;
    std::vector<Summary> told;
    Sample sample = make_sample(1, 300, 2);
    sample.envelope.release_at = sample.envelope.received + std::chrono::hours(1);
    const base::WallTime release = *sample.envelope.release_at;
    const auto expect_held = [&](Harness& harness, base::MessageId id) {
        const auto stored = harness.read(id);
        ASSERT_TRUE(stored);
        for (const auto& recipient : stored->state.recipients)
            EXPECT_EQ(recipient.next_attempt, release);
    };
    base::MessageId id;
    {
        Harness harness;
        ASSERT_TRUE(harness.start(disk));
        harness.spool().on_stored([&](std::span<const Summary> stored) {
            const std::lock_guard lock(mutex);
            told.insert(told.end(), stored.begin(), stored.end());
        });
        id = harness.spool().next_id();
        ASSERT_TRUE(harness.store(id, sample));
        ASSERT_TRUE(disk.wait_until([&] {
            const std::lock_guard lock(mutex);
            return !told.empty();
        }));
        EXPECT_EQ(told[0].next_attempt, release);
        EXPECT_EQ(told[0].lifetime.start, release);
        expect_held(harness, id);
    }
    {
        Harness harness;  // by the index
        ASSERT_TRUE(harness.start(disk));
        EXPECT_EQ(harness.recovered().at(id).next_attempt, release);
        expect_held(harness, id);
    }
    const auto names = disk.list("/spool/segments");
    ASSERT_TRUE(names);
    for (const auto& name : *names)
        if (name.ends_with(".idx")) ASSERT_TRUE(disk.remove("/spool/segments/" + name));
    Harness harness;  // by reading the segment, as after a crash
    ASSERT_TRUE(harness.start(disk));
    EXPECT_EQ(harness.recovered().at(id).next_attempt, release);
    expect_held(harness, id);
}

TEST(Spool, KeepsALargeMessageInItsOwnFile) {
    FaultyFiles disk;
    const Sample sample = make_sample(1, 200'000);
    base::MessageId id;
    {
        Harness harness;
        ASSERT_TRUE(harness.start(disk));
        id = harness.spool().next_id();
        ASSERT_TRUE(harness.store_large(id, sample));
        EXPECT_EQ(harness.compare(id, sample), "");
        EXPECT_EQ(disk.content("/spool/large/" + id.text() + ".eml"), sample.octets);
    }
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    EXPECT_EQ(harness.recovered().at(id).size, sample.octets.size());
    EXPECT_EQ(harness.compare(id, sample), "");
    harness.spool().record(id, done_state(1));
    EXPECT_TRUE(disk.wait_until([&] { return disk.names("/spool/large").empty(); }));
}

TEST(Spool, RewindsABody) {
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    const Sample sample = make_sample(1, 150'000);
    const auto small = harness.spool().next_id();
    const auto large = harness.spool().next_id();
    ASSERT_TRUE(harness.store(small, sample));
    ASSERT_TRUE(harness.store_large(large, sample));
    for (const auto id : {small, small, large}) {  // from memory, from the log, from its file
        auto message = harness.read(id);
        ASSERT_TRUE(message);
        EXPECT_EQ(harness.octets_of(*message->body), sample.octets);
        message->body->rewind();
        EXPECT_EQ(harness.octets_of(*message->body), sample.octets);
    }
}

TEST(Spool, RemovesTheFileOfAnAbandonedLargeMessage) {
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    {
        auto writer = harness.await(harness.spool().begin_large(harness.spool().next_id()));
        ASSERT_TRUE(writer);
        ASSERT_TRUE(harness.await(writer->write("half of it")));
        EXPECT_EQ(writer->size(), 10U);
        EXPECT_EQ(disk.names("/spool/large").size(), 1U);
    }
    EXPECT_TRUE(disk.wait_until([&] { return disk.names("/spool/large").empty(); }));
}

TEST(Spool, RemovesLargeFilesWithoutARecordAtTheStart) {
    FaultyFiles disk;
    const auto orphan = base::MessageId{12345}.text() + ".eml";
    ASSERT_TRUE(disk.create_directories("/spool/large"));
    disk.set_content("/spool/large/" + orphan, "half");
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    EXPECT_TRUE(disk.names("/spool/large").empty());
}

TEST(Spool, RefusesASecondOwnerAndSaysWhoTheFirstIs) {  // S6
    FaultyFiles disk;
    Harness first;
    ASSERT_TRUE(first.start(disk));
    {
        Harness second;
        const auto started = second.start(disk);
        ASSERT_FALSE(started);
        EXPECT_THAT(started.error(), HasSubstr("process 1"));
    }
    const auto id = first.spool().next_id();
    EXPECT_TRUE(first.store(id, make_sample(1, 10)));
    first.stop();
    Harness third;
    EXPECT_TRUE(third.start(disk));
}

TEST(Spool, RefusesMailBelowTheReserveAndTakesItAgainAbove) {  // S5
    FaultyFiles disk;
    Options options = small_segments();
    options.min_free = 1 << 20;
    Harness harness;
    ASSERT_TRUE(harness.start(disk, options));
    ASSERT_TRUE(harness.store(harness.spool().next_id(), make_sample(1, 10)));
    disk.set_free_space((1 << 20) - 1);
    ASSERT_TRUE(disk.wait_until([&] { return !harness.spool().health().accepting; }));
    const auto refused = harness.store(harness.spool().next_id(), make_sample(2, 10));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, StoreFailure::Kind::no_space);
    EXPECT_THAT(refused.error().reason, HasSubstr("min_free"));
    EXPECT_FALSE(harness.await(harness.spool().begin_large(harness.spool().next_id())));
    disk.set_free_space(1 << 20);
    ASSERT_TRUE(disk.wait_until([&] { return harness.spool().health().accepting; }));
    EXPECT_TRUE(harness.store(harness.spool().next_id(), make_sample(3, 10)));
}

TEST(Spool, LooksAtTheReserveWhileItWritesMuch) {  // S5, without the help of maintenance
    FaultyFiles disk;
    Options options = small_segments();
    options.min_free = 1 << 20;
    options.segment_size = 64 << 20;  // no sealed segment wakes maintenance
    Tuning tuning = quick();
    tuning.maintenance_interval = std::chrono::hours(1);
    Harness harness;
    ASSERT_TRUE(harness.start(disk, options, tuning));
    ASSERT_TRUE(disk.wait_until([&] { return disk.free_space_asked() == 2; }));  // both have
    disk.set_free_space(0);
    const Sample sample = make_sample(1, 100'000);
    int stored = 0;
    while (stored < 100 && harness.store(harness.spool().next_id(), sample)) ++stored;
    EXPECT_LE(stored, 43);  // 4 MB at the most
}

TEST(Spool, NeedsNoReserveIfNoneIsSet) {
    FaultyFiles disk;
    disk.set_free_space(0);
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    EXPECT_TRUE(harness.store(harness.spool().next_id(), make_sample(1, 10)));
}

TEST(Spool, AnswersClosingAfterClose) {
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    harness.spool().close();
    const auto refused = harness.store(harness.spool().next_id(), make_sample(1, 10));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, StoreFailure::Kind::closing);
    EXPECT_FALSE(harness.spool().health().accepting);
}

TEST(Spool, StoresTheMailThatWaitsWhenItCloses) {
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    std::vector<std::pair<base::MessageId, Sample>> messages;
    for (std::uint64_t i = 0; i < 50; ++i)
        messages.emplace_back(harness.spool().next_id(), make_sample(i, 3000));
    disk.hold_syncs(true);
    std::thread closer;
    const auto results = harness.store_all(messages, [&] {
        closer = std::thread([&] { harness.spool().close(); });
        while (harness.spool().health().accepting) std::this_thread::yield();
        disk.hold_syncs(false);
    });
    closer.join();
    for (const auto& stored : results) EXPECT_TRUE(stored);
    harness.stop();
    ASSERT_TRUE(harness.start(disk));
    for (const auto& [id, sample] : messages) EXPECT_EQ(harness.compare(id, sample), "");
}

TEST(Spool, AcknowledgesNothingBeforeItIsSynced) {  // S1
    FaultyFiles disk;
    std::atomic<bool> told = false;  // outlives the committer, which may tell after the waiters
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    disk.hold_syncs(true);
    const auto id = harness.spool().next_id();
    harness.spool().on_stored([&](std::span<const Summary>) { told = true; });
    const auto results = harness.store_all({{id, make_sample(1, 100)}}, [&] {
        EXPECT_TRUE(disk.wait_until([&] {
            const auto log = disk.content("/spool/segments/00000001.log");
            return log && log->size() > segment_header_size;  // written, not synced
        }));
        EXPECT_FALSE(told);
        disk.hold_syncs(false);
    });
    EXPECT_TRUE(results[0]);
}

TEST(Spool, StoresStatesThatWaitWhenItCloses) {  // S3
    FaultyFiles disk;
    Tuning tuning = quick();
    tuning.state_delay = std::chrono::hours(1);
    {
        Harness harness;
        ASSERT_TRUE(harness.start(disk, small_segments(), tuning));
        const auto id = harness.spool().next_id();
        ASSERT_TRUE(harness.store(id, make_sample(1, 10)));
        harness.spool().record(id, done_state(1));
    }
    const auto after = disk.after_power_cut(1);
    Harness harness;
    ASSERT_TRUE(harness.start(*after));
    EXPECT_TRUE(harness.recovered().empty());
}

TEST(Spool, StoresAStateAloneWithoutAnotherCommit) {  // S3
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    const auto id = harness.spool().next_id();
    ASSERT_TRUE(harness.store(id, make_sample(1, 10)));
    harness.spool().record(id, done_state(1));
    EXPECT_TRUE(disk.wait_until([&] {
        const auto copy = disk.after_power_cut(3);
        Harness restarted;
        return restarted.start(*copy) && restarted.recovered().empty();
    }));
}

TEST(Spool, ReadsNothingThatIsNotThere) {
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    const auto id = harness.spool().next_id();
    EXPECT_FALSE(harness.read(id));
    ASSERT_TRUE(harness.store(id, make_sample(1, 10)));
    harness.spool().record(id, done_state(1));
    EXPECT_FALSE(harness.read(id));
    harness.spool().record(id, pending_state(1, 1));  // too late
    EXPECT_FALSE(harness.read(id));
}

TEST(Spool, RetriesAReadThatTheDiskRefused) {
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    const Sample sample = make_sample(1, 100);
    const auto id = harness.spool().next_id();
    ASSERT_TRUE(harness.store(id, sample));
    ASSERT_EQ(harness.compare(id, sample), "");
    disk.fail_reads_of(".log");
    const auto refused = harness.read(id);
    ASSERT_FALSE(refused);
    EXPECT_FALSE(refused.error().damaged);
    disk.fail_reads_of("");
    EXPECT_EQ(harness.compare(id, sample), "");
}

TEST(Spool, StartsNewSegmentsAndKeepsFewFilesForDeadMail) {
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    for (std::uint64_t i = 0; i < 200; ++i) {
        const auto id = harness.spool().next_id();
        ASSERT_TRUE(harness.store(id, make_sample(i, 1000)));
        harness.spool().record(id, done_state(1));
    }
    // 200 KB went through segments of 16 KB; what is done leaves nothing but the last one.
    EXPECT_TRUE(disk.wait_until([&] { return disk.names("/spool/segments").size() <= 2; }));
}

}  // namespace
}  // namespace outpost::spool
