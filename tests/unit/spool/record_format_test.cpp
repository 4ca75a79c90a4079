#include "spool/record_format.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "spool/record_payload.hpp"
#include "spool/segment_index.hpp"

namespace outpost::spool {
namespace {

RecordHeader sample_header() {
    return {.marker = 0x1122334455667788,
            .segment = 7,
            .offset = 4096,
            .batch_start = 64,
            .type = RecordType::state,
            .id = base::MessageId{123456789},
            .metadata_length = 10,
            .content_length = 20,
            .metadata_checksum = 30,
            .content_checksum = 40};
}

smtp::Envelope sample_envelope() {
    smtp::Envelope envelope;
    envelope.account = "newsletter";
    envelope.reverse_path = "j\xc3\xb6rg@example.com";
    envelope.recipients = {
        {"a@example.net", {.given = true, .never = true}, "rfc822;a@b"},
        {"b@example.net", {.given = true, .success = true, .failure = true, .delay = true}, ""}};
    envelope.envid = "QQ314159";
    envelope.ret = smtp::Ret::headers;
    envelope.body = smtp::BodyType::eight_bit_mime;
    envelope.smtputf8 = true;
    envelope.mt_priority = -3;
    envelope.priority = 4;
    envelope.received = base::WallTime(std::chrono::milliseconds(1'700'000'000'123));
    envelope.client = "[192.0.2.1]";
    return envelope;
}

smtp::Envelope scheduled_envelope() {
    smtp::Envelope envelope = sample_envelope();
    envelope.release_at = envelope.received + std::chrono::hours(2);
    envelope.hold_for = std::chrono::hours(2);
    envelope.deliver_by = {.by = envelope.received + std::chrono::hours(3),
                           .mode = smtp::DeliverBy::Mode::return_mail,
                           .trace = true};
    return envelope;
}

MessageState sample_state() {
    MessageState state;
    state.recipients.resize(3);
    state.recipients[0].status = RecipientStatus::delivered;
    state.recipients[1].attempts = 4;
    state.recipients[1].delay_notified = true;
    state.recipients[1].next_attempt = base::WallTime(std::chrono::milliseconds(2000));
    state.recipients[1].last_reply = "451 4.3.0 later";
    state.recipients[1].last_upstream = "office";
    state.recipients[2].attempts = 2;
    state.recipients[2].next_attempt = base::WallTime(std::chrono::milliseconds(1000));
    return state;
}

TEST(RecordFormat, HeadersComeBackAsTheyWere) {
    char octets[record_header_size];
    encode(sample_header(), octets);
    EXPECT_EQ(decode_record_header({octets, sizeof octets}), sample_header());
    EXPECT_EQ(sample_header().length(), 94U);
    encode(SegmentHeader{5, 77}, octets);
    const auto segment = decode_segment_header({octets, sizeof octets});
    ASSERT_TRUE(segment);
    EXPECT_EQ(segment->number, 5U);
    EXPECT_EQ(segment->marker, 77U);
}

TEST(RecordFormat, AnyFlippedBitOfAHeaderIsNoticed) {
    for (std::size_t bit = 0; bit < record_header_size * 8; ++bit) {
        char octets[record_header_size];
        encode(sample_header(), octets);
        octets[bit / 8] ^= static_cast<char>(1 << bit % 8);
        EXPECT_FALSE(decode_record_header({octets, sizeof octets})) << bit;
        encode(SegmentHeader{5, 77}, octets);
        octets[bit / 8] ^= static_cast<char>(1 << bit % 8);
        EXPECT_FALSE(decode_segment_header({octets, sizeof octets})) << bit;
    }
}

TEST(RecordFormat, AHeaderCutShortIsNone) {
    char octets[record_header_size];
    encode(sample_header(), octets);
    EXPECT_FALSE(decode_record_header({octets, sizeof octets - 1}));
    EXPECT_FALSE(decode_record_header({}));
    EXPECT_FALSE(decode_segment_header({octets, sizeof octets}));  // another kind
}

TEST(RecordPayload, EnvelopesComeBackAsTheyWere) {
    std::optional<LargeReference> large;
    EXPECT_EQ(decode_envelope(encode(sample_envelope()), large), sample_envelope());
    EXPECT_FALSE(large);
    const LargeReference reference{.size = 1 << 20, .checksum = 99};
    EXPECT_EQ(decode_envelope(encode(sample_envelope(), reference), large), sample_envelope());
    EXPECT_EQ(large, reference);
    EXPECT_EQ(decode_envelope(encode(smtp::Envelope{}), large), smtp::Envelope{});
}

TEST(RecordPayload, TimesOfDeliveryComeBackAsTheyWere) {
    std::optional<LargeReference> large;
    smtp::Envelope envelope = scheduled_envelope();
    EXPECT_EQ(decode_envelope(encode(envelope), large), envelope);
    EXPECT_EQ(decode_envelope(encode(envelope, LargeReference{1, 2}), large), envelope);
    EXPECT_EQ(large, (LargeReference{1, 2}));
    envelope.hold_for.reset();
    envelope.deliver_by->mode = smtp::DeliverBy::Mode::notify;
    EXPECT_EQ(decode_envelope(encode(envelope), large), envelope);
    envelope.deliver_by.reset();
    EXPECT_EQ(decode_envelope(encode(envelope), large), envelope);
    envelope.release_at.reset();
    EXPECT_EQ(decode_envelope(encode(envelope), large), envelope);
}

/// As it was written before records knew of times of delivery.
TEST(RecordPayload, ReadsARecordOfTheVersionBefore) {
    const char octets[] =
        "\x01\x05\x00\x00\x03\x03\x7b\x68\xe5\xcf\x8b\x01\x00\x00"
        "\x03\x00"
        "acc"
        "\x03\x00"
        "a@b"
        "\x00\x00\x00\x00\x02\x00\x00\x00"
        "\x00\x03\x00\x00\x00"
        "c@d"
        "\x00\x00\x00\x00"
        "\x05\x03\x00\x00\x00"
        "e@f"
        "\x0a\x00\x00\x00"
        "rfc822;e@f"
        "\x64\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00";
    std::optional<LargeReference> large;
    const auto envelope = decode_envelope({octets, sizeof octets - 1}, large);
    smtp::Envelope expected;
    expected.account = "acc";
    expected.reverse_path = "a@b";
    expected.recipients = {{"c@d", {}, ""},
                           {"e@f", {.given = true, .success = true}, "rfc822;e@f"}};
    expected.mt_priority = 3;
    expected.received = base::WallTime(std::chrono::milliseconds(1'700'000'000'123));
    EXPECT_EQ(envelope, expected);
    EXPECT_EQ(large, (LargeReference{100, 5}));
}

TEST(RecordPayload, AnUnknownModeOfDeliveryIsRefused) {
    std::string octets = encode(scheduled_envelope());
    octets.back() = '\x04';
    std::optional<LargeReference> large;
    EXPECT_FALSE(decode_envelope(octets, large));
}

TEST(RecordPayload, StatesComeBackAsTheyWere) {
    EXPECT_EQ(decode_state(encode(sample_state())), sample_state());
    EXPECT_EQ(decode_state(encode(MessageState{})), MessageState{});
}

MessageState decided_state() {
    MessageState state = sample_state();
    state.recipients[1].moved_to = "backup";
    state.recipients[2].priority = 5;
    return state;
}

TEST(RecordPayload, WhatTheOperatorDecidedComesBackAsItWas) {
    EXPECT_EQ(decode_state(encode(decided_state())), decided_state());
    MessageState moved = sample_state();
    moved.recipients[2].moved_to = "backup";
    EXPECT_EQ(decode_state(encode(moved)), moved);
    MessageState urgent = sample_state();
    urgent.recipients[0].priority = 1;
    EXPECT_EQ(decode_state(encode(urgent)), urgent);
}

/// Ordinary mail costs what it did, and states that were written before are read.
TEST(RecordPayload, AStateWithoutDecisionsIsWrittenAsInTheVersionBefore) {
    const std::string octets(
        "\x01\x01\x00\x00\x00"
        "\x00\x02\x01\xe8\x03\x00\x00\x00\x00\x00\x00"
        "\x03\x00"
        "451"
        "\x06\x00"
        "office",
        29);
    MessageState state;
    state.recipients.resize(1);
    state.recipients[0].attempts = 2;
    state.recipients[0].delay_notified = true;
    state.recipients[0].next_attempt = base::WallTime(std::chrono::milliseconds(1000));
    state.recipients[0].last_reply = "451";
    state.recipients[0].last_upstream = "office";
    EXPECT_EQ(encode(state), octets);
    EXPECT_EQ(decode_state(octets), state);
}

TEST(RecordPayload, AnUnknownVersionOrPriorityOfAStateIsRefused) {
    std::string octets = encode(decided_state());
    octets[0] = '\x03';
    EXPECT_FALSE(decode_state(octets));
    MessageState state = sample_state();
    state.recipients[0].priority = 6;
    EXPECT_FALSE(decode_state(encode(state)));
}

TEST(RecordPayload, AReplyIsStoredUpToItsBound) {
    MessageState state = sample_state();
    state.recipients[0].last_reply.assign(100'000, 'x');
    EXPECT_EQ(decode_state(encode(state))->recipients[0].last_reply.size(), 512U);
}

TEST(RecordPayload, OctetsCutShortOrTooLongAreRefused) {
    std::optional<LargeReference> large;
    const std::string envelope = encode(scheduled_envelope(), LargeReference{1, 2});
    const std::string state = encode(sample_state());
    const std::string decided = encode(decided_state());
    for (std::size_t length = 0; length < decided.size(); ++length)
        EXPECT_FALSE(decode_state(decided.substr(0, length)));
    EXPECT_FALSE(decode_state(decided + "x"));
    for (std::size_t length = 0; length < envelope.size(); ++length)
        EXPECT_FALSE(decode_envelope(envelope.substr(0, length), large));
    for (std::size_t length = 0; length < state.size(); ++length)
        EXPECT_FALSE(decode_state(state.substr(0, length)));
    EXPECT_FALSE(decode_envelope(envelope + "x", large));
    EXPECT_FALSE(decode_state(state + "x"));
    EXPECT_FALSE(decode_range("1234567"));
}

TEST(RecordPayload, RandomOctetsDoNoHarm) {
    std::mt19937_64 random(1);
    std::optional<LargeReference> large;
    for (int trial = 0; trial < 20'000; ++trial) {
        std::string octets = trial % 2 == 0   ? encode(scheduled_envelope())
                             : trial % 3 == 0 ? encode(decided_state())
                                              : encode(sample_state());
        for (std::uint64_t flips = random() % 8; flips-- > 0;)
            octets[random() % octets.size()] = static_cast<char>(random());
        (void)decode_envelope(octets, large);
        (void)decode_state(octets);
    }
}

TEST(SegmentIndex, ComesBackAsItWas) {
    SegmentIdentity identity{
        .number = 3, .marker = 4, .size = 5, .last_offset = 6, .last_checksum = 7};
    std::string entries;
    IndexEntry message{RecordType::large_message,
                       64,
                       100,
                       summarize(base::MessageId{1}, sample_envelope(), 5000),
                       {}};
    IndexEntry state{RecordType::state, 164, 90, summarize(base::MessageId{1}, sample_state()), {}};
    IndexEntry done{RecordType::done, 254, 72, {}, {2, 3}};
    done.summary.id = base::MessageId{9};
    for (const auto& entry : {message, state, done}) append_entry(entries, entry);
    const auto index = decode_index(encode_index(identity, entries));
    ASSERT_TRUE(index);
    EXPECT_EQ(index->segment, identity);
    ASSERT_EQ(index->entries.size(), 3U);
    EXPECT_EQ(index->entries[0].summary.account, "newsletter");
    EXPECT_EQ(index->entries[0].summary.size, 5000U);
    EXPECT_EQ(index->entries[0].summary.received, sample_envelope().received);
    EXPECT_EQ(index->entries[1].summary.recipients, 2U);
    EXPECT_EQ(index->entries[1].summary.attempts, 4);
    EXPECT_TRUE(index->entries[1].summary.delay_notified);
    EXPECT_EQ(index->entries[1].summary.next_attempt,
              base::WallTime(std::chrono::milliseconds(1000)));
    EXPECT_EQ(index->entries[2].range, (SegmentRange{2, 3}));
    EXPECT_EQ(index->entries[2].length, 72U);
}

TEST(SegmentIndex, KnowsWhatTheOperatorDecided) {
    const auto through = [](const MessageState& state) {
        std::string entries;
        append_entry(entries,
                     {RecordType::state, 64, 100, summarize(base::MessageId{1}, state), {}});
        const auto index = decode_index(encode_index({}, entries));
        EXPECT_TRUE(index);
        Summary summary = summarize(base::MessageId{1}, sample_envelope(), 5000);
        apply_state(summary, index->entries.at(0).summary);
        EXPECT_TRUE(summary.delay_notified);
        return summary;
    };
    EXPECT_FALSE(through(sample_state()).decided);
    EXPECT_EQ(through(sample_state()).priority, 4) << "its own";
    MessageState state = sample_state();
    state.recipients[0].priority = 2;
    state.recipients[0].moved_to = "backup";
    EXPECT_FALSE(through(state).decided) << "that one has got it";
    EXPECT_EQ(through(state).priority, 4);
    state.recipients[1].priority = state.recipients[2].priority = 5;
    EXPECT_FALSE(through(state).decided);
    EXPECT_EQ(through(state).priority, 5);
    state.recipients[2].priority = 0;
    EXPECT_TRUE(through(state).decided) << "some only";
    state = sample_state();
    state.recipients[2].moved_to = "backup";
    EXPECT_TRUE(through(state).decided);
    EXPECT_EQ(through(state).priority, 4);
}

/// An index of the version before has no more than the notice in its flags.
TEST(SegmentIndex, AnEntryWithoutDecisionsIsAsItWas) {
    std::string entries;
    append_entry(entries,
                 {RecordType::state, 64, 100, summarize(base::MessageId{1}, sample_state()), {}});
    EXPECT_EQ(entries.back(), '\x01');
}

TEST(SegmentIndex, KnowsTheTimesOfDelivery) {
    std::string entries;
    const auto append = [&](const smtp::Envelope& envelope) {
        append_entry(
            entries,
            {RecordType::message, 64, 100, summarize(base::MessageId{1}, envelope, 5000), {}});
    };
    smtp::Envelope plain = sample_envelope();
    smtp::Envelope held = scheduled_envelope();
    smtp::Envelope late = held;
    late.release_at = late.received - std::chrono::hours(1);
    for (const auto& envelope : {plain, held, late}) append(envelope);
    const auto index = decode_index(encode_index({}, entries));
    ASSERT_TRUE(index);
    const std::vector<smtp::Envelope> all{plain, held, late};
    for (std::size_t i = 0; i < all.size(); ++i)
        EXPECT_EQ(index->entries[i].summary.lifetime, all[i].lifetime()) << i;
    EXPECT_EQ(index->entries[0].summary.next_attempt, base::WallTime());
    EXPECT_EQ(index->entries[1].summary.next_attempt, *held.release_at);
    EXPECT_EQ(index->entries[2].summary.next_attempt, base::WallTime()) << "its release is over";
}

TEST(SegmentIndex, AnyFlippedBitIsNoticed) {
    std::string entries;
    append_entry(
        entries,
        {RecordType::message, 64, 100, summarize(base::MessageId{1}, sample_envelope(), 5000), {}});
    const std::string index = encode_index({.number = 1, .marker = 2, .size = 164}, entries);
    ASSERT_TRUE(decode_index(index));
    for (std::size_t bit = 0; bit < index.size() * 8; ++bit) {
        std::string damaged = index;
        damaged[bit / 8] ^= static_cast<char>(1 << bit % 8);
        EXPECT_FALSE(decode_index(damaged)) << bit;
    }
}

}  // namespace
}  // namespace outpost::spool
