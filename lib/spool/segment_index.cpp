#include "spool/segment_index.hpp"

#include <algorithm>

#include "base/checksum.hpp"
#include "spool/octets.hpp"

namespace outpost::spool {

namespace {

constexpr std::string_view index_magic = "OPINDEX2";
constexpr std::size_t checksum_size = sizeof(std::uint64_t);

std::int64_t stored_time(base::WallTime time) {
    return time.time_since_epoch().count();
}
base::WallTime wall_time(std::int64_t milliseconds) {
    return base::WallTime(std::chrono::milliseconds(milliseconds));
}

/// Of a message that was never tried: now, or at its release.
base::WallTime first_attempt(const Summary& summary) {
    return summary.lifetime.start > summary.received ? summary.lifetime.start : base::WallTime();
}

// Flags of BY in an entry; without `by_given` no time follows.
constexpr std::uint8_t by_given = 1;
constexpr std::uint8_t by_returns = 2;
constexpr std::uint8_t by_traces = 4;

void put_lifetime(std::string& entries, const smtp::Lifetime& lifetime) {
    put(entries, stored_time(lifetime.start));
    if (!lifetime.deliver_by) return put(entries, std::uint8_t{0});
    const bool returns = lifetime.deliver_by->mode == smtp::DeliverBy::Mode::return_mail;
    put(entries, static_cast<std::uint8_t>(by_given | (returns ? by_returns : 0) |
                                           (lifetime.deliver_by->trace ? by_traces : 0)));
    put(entries, stored_time(lifetime.deliver_by->by));
}

smtp::Lifetime read_lifetime(OctetReader& in) {
    using enum smtp::DeliverBy::Mode;
    smtp::Lifetime lifetime{.start = wall_time(in.number<std::int64_t>()), .deliver_by = {}};
    const auto flags = in.number<std::uint8_t>();
    if ((flags & by_given) != 0)
        lifetime.deliver_by = {.by = wall_time(in.number<std::int64_t>()),
                               .mode = (flags & by_returns) != 0 ? return_mail : notify,
                               .trace = (flags & by_traces) != 0};
    return lifetime;
}

// Flags of a state in an entry; above them, the operator's priority.
constexpr std::uint8_t notice_sent = 1;
constexpr std::uint8_t decided = 2;
constexpr unsigned priority_shift = 2;

std::uint8_t state_flags(const Summary& change) {
    return static_cast<std::uint8_t>((change.delay_notified ? notice_sent : 0) |
                                     (change.decided ? decided : 0) |
                                     change.priority << priority_shift);
}

void read_state_flags(std::uint8_t flags, Summary& change) {
    change.delay_notified = (flags & notice_sent) != 0;
    change.decided = (flags & decided) != 0;
    change.priority = static_cast<std::uint8_t>(flags >> priority_shift);
}

void read_details(OctetReader& in, IndexEntry& entry) {
    Summary& summary = entry.summary;
    switch (entry.type) {
        case RecordType::message:
        case RecordType::large_message:
            summary.recipients = in.number<std::uint32_t>();
            summary.size = in.number<std::uint64_t>();
            summary.received = wall_time(in.number<std::int64_t>());
            summary.priority = in.number<std::uint8_t>();
            summary.account = in.text<std::uint16_t>();
            summary.lifetime = read_lifetime(in);
            summary.next_attempt = first_attempt(summary);
            break;
        case RecordType::state:
            summary.recipients = in.number<std::uint32_t>();
            summary.next_attempt = wall_time(in.number<std::int64_t>());
            summary.attempts = in.number<std::uint8_t>();
            read_state_flags(in.number<std::uint8_t>(), summary);
            break;
        case RecordType::done:
            entry.range.oldest = in.number<std::uint32_t>();
            entry.range.newest = in.number<std::uint32_t>();
            break;
    }
}

}  // namespace

Summary summarize(base::MessageId id, const smtp::Envelope& envelope, std::uint64_t size) {
    Summary summary;
    summary.id = id;
    summary.account = envelope.account;
    summary.recipients = static_cast<std::uint32_t>(envelope.recipients.size());
    summary.size = size;
    summary.received = envelope.received;
    summary.priority = envelope.priority;
    summary.lifetime = envelope.lifetime();
    summary.next_attempt = first_attempt(summary);
    return summary;
}

Summary summarize(base::MessageId id, const MessageState& state) {
    Summary summary;
    summary.id = id;
    summary.next_attempt = base::WallTime::max();
    summary.priority = 0;
    for (const auto& recipient : state.recipients) {
        if (recipient.status != RecipientStatus::pending) continue;
        if (summary.recipients == 0) summary.priority = recipient.priority;
        if (!recipient.moved_to.empty() || recipient.priority != summary.priority)
            summary.decided = true;
        ++summary.recipients;
        summary.next_attempt = std::min(summary.next_attempt, recipient.next_attempt);
        summary.attempts = std::max(summary.attempts, recipient.attempts);
        summary.delay_notified = summary.delay_notified || recipient.delay_notified;
    }
    if (summary.recipients == 0) summary.next_attempt = {};
    return summary;
}

void apply_state(Summary& summary, const Summary& change) {
    summary.recipients = change.recipients;
    summary.next_attempt = change.next_attempt;
    summary.attempts = change.attempts;
    summary.delay_notified = change.delay_notified;
    summary.decided = change.decided;
    if (change.priority != 0) summary.priority = change.priority;
}

void append_entry(std::string& entries, const IndexEntry& entry) {
    const Summary& summary = entry.summary;
    put(entries, static_cast<std::uint8_t>(entry.type));
    put(entries, summary.id.value);
    put(entries, entry.offset);
    put(entries, entry.length);
    switch (entry.type) {
        case RecordType::message:
        case RecordType::large_message:
            put(entries, summary.recipients);
            put(entries, summary.size);
            put(entries, stored_time(summary.received));
            put(entries, summary.priority);
            put_text<std::uint16_t>(entries, summary.account);
            put_lifetime(entries, summary.lifetime);
            break;
        case RecordType::state:
            put(entries, summary.recipients);
            put(entries, stored_time(summary.next_attempt));
            put(entries, summary.attempts);
            put(entries, state_flags(summary));
            break;
        case RecordType::done:
            put(entries, entry.range.oldest);
            put(entries, entry.range.newest);
            break;
    }
}

std::string encode_index(const SegmentIdentity& segment, std::string_view entries) {
    std::string out;
    out.reserve(64 + entries.size());
    out.append(index_magic);
    put(out, segment.number);
    put(out, segment.marker);
    put(out, segment.size);
    put(out, segment.last_offset);
    put(out, segment.last_checksum);
    out.append(entries);
    put(out, base::checksum(out));
    return out;
}

std::optional<SegmentIndex> decode_index(std::string_view octets) {
    if (octets.size() < index_magic.size() + checksum_size) return std::nullopt;
    OctetReader tail(octets.substr(octets.size() - checksum_size));
    octets.remove_suffix(checksum_size);
    if (tail.number<std::uint64_t>() != base::checksum(octets)) return std::nullopt;
    OctetReader in(octets);
    if (in.take(index_magic.size()) != index_magic) return std::nullopt;
    SegmentIndex index;
    index.segment.number = in.number<std::uint32_t>();
    index.segment.marker = in.number<std::uint64_t>();
    index.segment.size = in.number<std::uint64_t>();
    index.segment.last_offset = in.number<std::uint32_t>();
    index.segment.last_checksum = in.number<std::uint64_t>();
    while (in.ok() && in.left() > 0) {
        IndexEntry& entry = index.entries.emplace_back();
        const auto type = in.number<std::uint8_t>();
        if (type < 1 || type > static_cast<std::uint8_t>(RecordType::done)) return std::nullopt;
        entry.type = static_cast<RecordType>(type);
        entry.summary.id.value = in.number<std::uint64_t>();
        entry.offset = in.number<std::uint32_t>();
        entry.length = in.number<std::uint32_t>();
        read_details(in, entry);
    }
    if (!in.done()) return std::nullopt;
    return index;
}

}  // namespace outpost::spool
