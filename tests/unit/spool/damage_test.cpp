// S2: damage is detected, reported and set aside, costs at most the records it touches, and never
// changes an octet of what is delivered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/checksum.hpp"
#include "scenario.hpp"

namespace outpost::spool {
namespace {

const std::string segments = "/spool/segments/";

/// A spool that was stopped in good order, with a few segments, states, done records and a large
/// message.
class DamageTest : public testing::Test {
  protected:
    DamageTest() {
        Harness harness;
        Tuning tuning = quick();
        tuning.maintenance_interval = std::chrono::hours(1);  // no removal, no compaction
        EXPECT_TRUE(harness.start(disk, small_segments(), tuning));
        for (std::uint64_t i = 0; i < 30; ++i) {
            const auto id = base::MessageId{1'000'000 + i};
            const Sample sample = make_sample(i, 600 + i * 80);
            EXPECT_TRUE(harness.store(id, sample));
            samples[id] = sample;
            if (i % 5 == 1) harness.spool().record(id, pending_state(1, 9));
            if (i % 5 != 2) continue;
            harness.spool().record(id, done_state(1));
            finished.insert(id);
            samples.erase(id);
        }
        large = base::MessageId{2'000'000};
        samples[large] = make_sample(99, 200'000);
        EXPECT_TRUE(harness.store_large(large, samples[large]));
        harness.stop();
        for (const auto& name : disk.names("/spool/segments"))
            if (name.ends_with(".log")) logs.push_back(name);
        EXPECT_GE(logs.size(), 3U);
    }

    /// As if the process had been killed: no index files, all is scanned.
    static void remove_indexes(FaultyFiles& files) {
        for (const auto& name : files.names("/spool/segments"))
            if (name.ends_with(".idx")) EXPECT_TRUE(files.remove(segments + name));
    }

    /// What a start makes of it: the number of messages that are lost, back again or have lost
    /// their state, none with wrong octets.
    std::size_t harm(FaultyFiles& files, std::string& report) {
        Harness harness;
        const auto started = harness.start(files);
        EXPECT_TRUE(started) << started.error();
        std::size_t count = 0;
        for (const auto& [id, sample] : samples) {
            if (!harness.recovered().contains(id)) {
                ++count;
                continue;
            }
            const auto message = harness.read(id);
            if (!message) {
                EXPECT_TRUE(message.error().damaged);
                ++count;
                continue;
            }
            const auto octets = harness.octets_of(*message->body);
            if (octets) EXPECT_EQ(*octets, sample.octets);
            const bool state_lost =
                id.value % 5 == 1 && message->state != pending_state(1, 9) && id != large;
            if (!octets || state_lost) ++count;
        }
        for (const auto id : finished) count += harness.recovered().contains(id) ? 1 : 0;
        for (const auto& note : harness.spool().recovery().notes) report += note + "\n";
        damaged_records = harness.spool().recovery().damaged_records;
        return count;
    }

    /// Records that overlap octets of an intact segment.
    std::size_t records_in(const std::string& log, std::size_t begin, std::size_t end) {
        const auto file = disk.open(segments + log, OpenMode::read);
        const auto scan = scan_segment(**file, static_cast<std::uint32_t>(std::stoul(log)));
        return static_cast<std::size_t>(std::ranges::count_if(scan->entries, [&](const auto& e) {
            return e.offset < end && e.offset + e.length > begin;
        }));
    }

    FaultyFiles disk;
    std::map<base::MessageId, Sample> samples;
    std::set<base::MessageId> finished;
    base::MessageId large;
    std::vector<std::string> logs;
    std::uint64_t damaged_records = 0;
};

TEST_F(DamageTest, NoDamageNoHarm) {
    std::string report;
    EXPECT_EQ(harm(*disk.after_kill(), report), 0U);
    const auto scanned = disk.after_kill();
    remove_indexes(*scanned);
    EXPECT_EQ(harm(*scanned, report), 0U);
    EXPECT_EQ(report, "");
}

TEST_F(DamageTest, AFlippedBitCostsAtMostTheRecordItIsIn) {
    std::mt19937_64 random(1);
    for (int trial = 0; trial < 600; ++trial) {
        const auto copy = disk.after_kill();
        const bool scanned = trial % 2 == 0;
        if (scanned) remove_indexes(*copy);
        const std::string& log = logs[random() % logs.size()];
        std::string octets = *copy->content(segments + log);
        // Every third flip hits a header or what comes right after it.
        std::size_t at = random() % octets.size();
        if (trial % 3 == 0) at = random() % 200;
        octets[at] = static_cast<char>(octets[at] ^ (1 << random() % 8));
        copy->set_content(segments + log, octets);
        std::string report;
        const std::size_t lost = harm(*copy, report);
        ASSERT_LE(lost, records_in(log, at, at + 1)) << log << " at " << at;
        if (scanned) ASSERT_NE(report, "") << log << " at " << at;
    }
}

TEST_F(DamageTest, ALostBlockCostsAtMostTheRecordsItTouches) {
    std::mt19937_64 random(2);
    for (int trial = 0; trial < 300; ++trial) {
        const auto copy = disk.after_kill();
        if (trial % 2 == 0) remove_indexes(*copy);
        const std::string& log = logs[random() % logs.size()];
        std::string octets = *copy->content(segments + log);
        const std::size_t at = random() % (octets.size() / 512) * 512;
        const std::size_t length = std::min<std::size_t>(512U << random() % 4, octets.size() - at);
        for (std::size_t i = at; i < at + length; ++i)
            octets[i] = trial % 3 == 0 ? '\0' : static_cast<char>(random());
        copy->set_content(segments + log, octets);
        std::string report;
        ASSERT_LE(harm(*copy, report), records_in(log, at, at + length))
            << log << " at " << at << ", " << length << " octets\n"
            << report;
    }
}

TEST_F(DamageTest, ADamagedIndexCostsNothing) {
    std::mt19937_64 random(3);
    for (int trial = 0; trial < 300; ++trial) {
        const auto copy = disk.after_kill();
        const std::string index = segments + logs[random() % logs.size()].substr(0, 8) + ".idx";
        std::string octets = *copy->content(index);
        switch (trial % 3) {
            case 0: octets[random() % octets.size()] ^= static_cast<char>(1 << random() % 8); break;
            case 1: octets.resize(random() % octets.size()); break;
            default: octets.append("more"); break;
        }
        copy->set_content(index, octets);
        std::string report;
        ASSERT_EQ(harm(*copy, report), 0U);
    }
}

TEST_F(DamageTest, AnIndexOfAnotherSegmentIsNotBelieved) {
    const auto copy = disk.after_kill();
    const std::string first = *copy->content(segments + "00000001.idx");
    copy->set_content(segments + "00000001.idx", *copy->content(segments + "00000002.idx"));
    copy->set_content(segments + "00000002.idx", first);
    std::string report;
    EXPECT_EQ(harm(*copy, report), 0U);
}

TEST_F(DamageTest, AnIndexOfAnEarlierLifeOfTheSegmentIsNotBelieved) {
    const auto copy = disk.after_kill();
    const std::string stale = *copy->content(segments + logs.back().substr(0, 8) + ".idx");
    const Sample sample = make_sample(500, 100);
    const base::MessageId id{3'000'000};
    {
        Harness harness;
        ASSERT_TRUE(harness.start(*copy));
        ASSERT_TRUE(harness.store(id, sample));
    }
    copy->set_content(segments + logs.back().substr(0, 8) + ".idx", stale);
    Harness harness;
    ASSERT_TRUE(harness.start(*copy));
    EXPECT_EQ(harness.compare(id, sample), "");
}

TEST_F(DamageTest, SetsDamageAsideWithANoteAndReportsItOnce) {
    const auto copy = disk.after_kill();
    remove_indexes(*copy);
    std::string octets = *copy->content(segments + logs[0]);
    octets[200] ^= 1;  // within the first record
    copy->set_content(segments + logs[0], octets);
    std::string report;
    EXPECT_EQ(harm(*copy, report), 1U);
    EXPECT_EQ(damaged_records, 1U);
    EXPECT_THAT(report, testing::HasSubstr("/spool/segments/00000001.log: octets 64 to "));
    EXPECT_THAT(report, testing::HasSubstr("/spool/damaged/00000001-64.bin"));
    const auto aside = copy->content("/spool/damaged/00000001-64.bin");
    ASSERT_TRUE(aside);
    EXPECT_EQ(*aside, octets.substr(64, aside->size()));
    EXPECT_TRUE(copy->content("/spool/damaged/00000001-64.bin.txt"));
    std::string again;
    EXPECT_EQ(harm(*copy, again), 1U);
    EXPECT_EQ(again, "");
}

TEST_F(DamageTest, SetsAMessageAsideThatIsFoundDamagedWhenItIsRead) {
    const auto copy = disk.after_kill();
    std::string octets = *copy->content(segments + logs[0]);
    octets[300] ^= 1;  // in the body of the first message; its index does not know
    copy->set_content(segments + logs[0], octets);
    const base::MessageId id{1'000'000};
    {
        Harness harness;
        ASSERT_TRUE(harness.start(*copy));
        ASSERT_TRUE(harness.recovered().contains(id));
        const auto message = harness.read(id);
        ASSERT_FALSE(message);
        EXPECT_TRUE(message.error().damaged);
        EXPECT_THAT(message.error().reason, testing::HasSubstr("/spool/damaged/"));
        EXPECT_TRUE(copy->content("/spool/damaged/" + id.text() + ".rec"));
    }
    Harness harness;
    ASSERT_TRUE(harness.start(*copy));
    EXPECT_FALSE(harness.recovered().contains(id));
}

TEST_F(DamageTest, ADamagedLargeMessageIsNeverGivenOutWhole) {
    const std::string path = "/spool/large/" + large.text() + ".eml";
    std::mt19937_64 random(4);
    for (int trial = 0; trial < 20; ++trial) {
        const auto copy = disk.after_kill();
        std::string octets = *copy->content(path);
        if (trial % 2 == 0)
            octets[random() % octets.size()] ^= static_cast<char>(1 << random() % 8);
        else
            octets.resize(random() % octets.size());
        copy->set_content(path, octets);
        Harness harness;
        ASSERT_TRUE(harness.start(*copy));
        auto message = harness.read(large);
        if (message) {
            EXPECT_FALSE(harness.octets_of(*message->body));
            message = harness.read(large);  // the next attempt sets it aside
        }
        ASSERT_FALSE(message);
        EXPECT_TRUE(message.error().damaged);
        EXPECT_EQ(copy->content("/spool/damaged/" + large.text() + ".eml"), octets);
    }
}

TEST_F(DamageTest, AMissingLargeFileIsReportedAsDamage) {
    const auto copy = disk.after_kill();
    ASSERT_TRUE(copy->remove("/spool/large/" + large.text() + ".eml"));
    Harness harness;
    ASSERT_TRUE(harness.start(*copy));
    const auto message = harness.read(large);
    ASSERT_FALSE(message);
    EXPECT_TRUE(message.error().damaged);
}

TEST_F(DamageTest, BlocksThatTheDiskCannotReadAreDamage) {
    const auto copy = disk.after_kill();
    remove_indexes(*copy);
    copy->fail_reads_of(logs[0]);
    Harness harness;
    ASSERT_TRUE(harness.start(*copy));
    EXPECT_GT(harness.spool().recovery().damaged_records, 0U);
    EXPECT_TRUE(harness.recovered().contains(large));
}

/// Makes of the body of the first message, whose own header is damaged, a record that stands right
/// where it says: all that a sender could guess, and `marker`.
std::string forge(std::string octets, std::uint64_t marker, base::MessageId id) {
    const std::string metadata = encode(make_sample(7, 10).envelope);
    const std::string content = "Subject: forged\r\n\r\n";
    RecordHeader header;
    header.marker = marker;
    header.segment = 1;
    header.offset = 250;
    header.id = id;
    header.metadata_length = static_cast<std::uint32_t>(metadata.size());
    header.content_length = static_cast<std::uint32_t>(content.size());
    header.metadata_checksum = base::checksum(metadata);
    header.content_checksum = base::checksum(content);
    char head[record_header_size];
    encode(header, head);
    const std::string record = std::string(head, sizeof head) + metadata + content;
    octets.replace(header.offset, record.size(), record);
    octets[segment_header_size + 30] ^= 1;
    return octets;
}

TEST_F(DamageTest, AMessageThatLooksLikeARecordIsNoneWithoutTheMarker) {
    const base::MessageId id{4'000'000};
    const std::string octets = *disk.content(segments + logs[0]);
    const std::uint64_t marker = decode_segment_header(octets)->marker;
    for (const bool knows : {false, true}) {
        const auto copy = disk.after_kill();
        remove_indexes(*copy);
        copy->set_content(segments + logs[0],
                          forge(octets, knows ? marker : 0x1234567812345678, id));
        Harness harness;
        ASSERT_TRUE(harness.start(*copy));
        EXPECT_EQ(harness.recovered().contains(id), knows);  // it is the marker that protects
    }
}

}  // namespace
}  // namespace outpost::spool
