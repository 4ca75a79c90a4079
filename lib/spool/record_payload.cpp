#include "spool/record_payload.hpp"

#include <algorithm>

#include "spool/octets.hpp"

namespace outpost::spool {

namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t format_version = 1;
constexpr std::uint8_t decided_version = 2;  // of a state: with what the operator has decided
constexpr std::size_t max_reply = 512;       // state.hpp's bound
constexpr std::uint8_t lowest_priority = 5;
constexpr std::size_t recipient_floor = 9;  // encoded octets of an empty recipient, at the least
constexpr std::size_t state_floor = 15;     // the same of a recipient's state
constexpr std::size_t decision_floor = 3;   // and of what the operator has decided about it

// Flags of an envelope.
constexpr std::uint8_t has_mt_priority = 1;
constexpr std::uint8_t wants_smtputf8 = 2;
constexpr std::uint8_t has_large_file = 4;
constexpr std::uint8_t has_release = 8;
constexpr std::uint8_t has_deliver_by = 16;
// Flags of a recipient's NOTIFY.
constexpr std::uint8_t notify_given = 1;
constexpr std::uint8_t notify_never = 2;
constexpr std::uint8_t notify_success = 4;
constexpr std::uint8_t notify_failure = 8;
constexpr std::uint8_t notify_delay = 16;
// Flags of DELIVERBY's mode.
constexpr std::uint8_t by_returns = 1;
constexpr std::uint8_t by_traces = 2;

std::uint8_t flags_of(const smtp::Notify& notify) {
    return static_cast<std::uint8_t>(
        (notify.given ? notify_given : 0) | (notify.never ? notify_never : 0) |
        (notify.success ? notify_success : 0) | (notify.failure ? notify_failure : 0) |
        (notify.delay ? notify_delay : 0));
}

smtp::Notify notify_of(std::uint8_t flags) {
    return {.given = (flags & notify_given) != 0,
            .never = (flags & notify_never) != 0,
            .success = (flags & notify_success) != 0,
            .failure = (flags & notify_failure) != 0,
            .delay = (flags & notify_delay) != 0};
}

std::uint8_t flags_of(const smtp::DeliverBy& deliver_by) {
    const bool returns = deliver_by.mode == smtp::DeliverBy::Mode::return_mail;
    return static_cast<std::uint8_t>((returns ? by_returns : 0) |
                                     (deliver_by.trace ? by_traces : 0));
}

std::optional<smtp::DeliverBy> deliver_by_of(std::uint8_t flags, base::WallTime by) {
    if ((flags & ~(by_returns | by_traces)) != 0) return std::nullopt;
    using enum smtp::DeliverBy::Mode;
    return smtp::DeliverBy{.by = by,
                           .mode = (flags & by_returns) != 0 ? return_mail : notify,
                           .trace = (flags & by_traces) != 0};
}

std::int64_t stored_time(base::WallTime time) {
    return time.time_since_epoch().count();
}
base::WallTime wall_time(std::int64_t milliseconds) {
    return base::WallTime(std::chrono::milliseconds(milliseconds));
}

void put_schedule(std::string& out, const smtp::Envelope& envelope) {
    if (envelope.release_at) {
        put(out, stored_time(*envelope.release_at));
        put(out, static_cast<std::uint32_t>(envelope.hold_for.value_or(0s).count()));
    }
    if (envelope.deliver_by) {
        put(out, stored_time(envelope.deliver_by->by));
        put(out, flags_of(*envelope.deliver_by));
    }
}

/// False if it is none.
bool read_schedule(OctetReader& in, std::uint8_t flags, smtp::Envelope& envelope) {
    if ((flags & has_release) != 0) {
        envelope.release_at = wall_time(in.number<std::int64_t>());
        if (const auto seconds = in.number<std::uint32_t>(); seconds > 0)
            envelope.hold_for = std::chrono::seconds(seconds);
    }
    if ((flags & has_deliver_by) == 0) return true;
    const auto by = wall_time(in.number<std::int64_t>());
    envelope.deliver_by = deliver_by_of(in.number<std::uint8_t>(), by);
    return envelope.deliver_by.has_value();
}

std::string encode_envelope(const smtp::Envelope& envelope, const LargeReference* large) {
    std::string out;
    out.reserve(96 + envelope.recipients.size() * 48);
    put(out, format_version);
    put(out, static_cast<std::uint8_t>((envelope.mt_priority ? has_mt_priority : 0) |
                                       (envelope.smtputf8 ? wants_smtputf8 : 0) |
                                       (large ? has_large_file : 0) |
                                       (envelope.release_at ? has_release : 0) |
                                       (envelope.deliver_by ? has_deliver_by : 0)));
    put(out, static_cast<std::uint8_t>(envelope.ret));
    put(out, static_cast<std::uint8_t>(envelope.body));
    put(out, envelope.mt_priority.value_or(0));
    put(out, envelope.priority);
    put(out, stored_time(envelope.received));
    put_text<std::uint16_t>(out, envelope.account);
    put_text<std::uint16_t>(out, envelope.reverse_path);
    put_text<std::uint16_t>(out, envelope.envid);
    put_text<std::uint16_t>(out, envelope.client);
    put(out, static_cast<std::uint32_t>(envelope.recipients.size()));
    for (const auto& recipient : envelope.recipients) {
        put(out, flags_of(recipient.notify));
        put_text<std::uint32_t>(out, recipient.address);
        put_text<std::uint32_t>(out, recipient.orcpt);
    }
    if (large) {
        put(out, large->size);
        put(out, large->checksum);
    }
    put_schedule(out, envelope);
    return out;
}

}  // namespace

std::string encode(const smtp::Envelope& envelope) {
    return encode_envelope(envelope, nullptr);
}

std::string encode(const smtp::Envelope& envelope, const LargeReference& large) {
    return encode_envelope(envelope, &large);
}

std::optional<smtp::Envelope> decode_envelope(std::string_view octets,
                                              std::optional<LargeReference>& large) {
    OctetReader in(octets);
    if (in.number<std::uint8_t>() != format_version) return std::nullopt;
    const auto flags = in.number<std::uint8_t>();
    const auto ret = in.number<std::uint8_t>();
    const auto body = in.number<std::uint8_t>();
    if (ret > static_cast<std::uint8_t>(smtp::Ret::headers)) return std::nullopt;
    if (body > static_cast<std::uint8_t>(smtp::BodyType::binary_mime)) return std::nullopt;
    smtp::Envelope envelope;
    envelope.ret = static_cast<smtp::Ret>(ret);
    envelope.body = static_cast<smtp::BodyType>(body);
    envelope.smtputf8 = (flags & wants_smtputf8) != 0;
    const auto mt_priority = in.number<std::int8_t>();
    if ((flags & has_mt_priority) != 0) envelope.mt_priority = mt_priority;
    envelope.priority = in.number<std::uint8_t>();
    envelope.received = wall_time(in.number<std::int64_t>());
    envelope.account = in.text<std::uint16_t>();
    envelope.reverse_path = in.text<std::uint16_t>();
    envelope.envid = in.text<std::uint16_t>();
    envelope.client = in.text<std::uint16_t>();
    const auto count = in.number<std::uint32_t>();
    if (!in.ok() || count > in.left() / recipient_floor) return std::nullopt;
    envelope.recipients.reserve(count);
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
        auto& recipient = envelope.recipients.emplace_back();
        recipient.notify = notify_of(in.number<std::uint8_t>());
        recipient.address = in.text<std::uint32_t>();
        recipient.orcpt = in.text<std::uint32_t>();
    }
    large.reset();
    if ((flags & has_large_file) != 0) {
        large.emplace();
        large->size = in.number<std::uint64_t>();
        large->checksum = in.number<std::uint64_t>();
    }
    if (!read_schedule(in, flags, envelope) || !in.done()) return std::nullopt;
    return envelope;
}

std::string encode(const MessageState& state) {
    const bool decided = std::ranges::any_of(state.recipients, [](const RecipientState& recipient) {
        return recipient.priority != 0 || !recipient.moved_to.empty();
    });
    std::string out;
    out.reserve(8 + state.recipients.size() * 64);
    put(out, decided ? decided_version : format_version);
    put(out, static_cast<std::uint32_t>(state.recipients.size()));
    for (const auto& recipient : state.recipients) {
        put(out, static_cast<std::uint8_t>(recipient.status));
        put(out, recipient.attempts);
        put(out, static_cast<std::uint8_t>(recipient.delay_notified ? 1 : 0));
        put(out, stored_time(recipient.next_attempt));
        put_text<std::uint16_t>(out, std::string_view(recipient.last_reply).substr(0, max_reply));
        put_text<std::uint16_t>(out, recipient.last_upstream);
        if (!decided) continue;
        put(out, recipient.priority);
        put_text<std::uint16_t>(out, recipient.moved_to);
    }
    return out;
}

std::optional<MessageState> decode_state(std::string_view octets) {
    OctetReader in(octets);
    const auto version = in.number<std::uint8_t>();
    if (version != format_version && version != decided_version) return std::nullopt;
    const bool decided = version == decided_version;
    const auto count = in.number<std::uint32_t>();
    const std::size_t floor = state_floor + (decided ? decision_floor : 0);
    if (!in.ok() || count > in.left() / floor) return std::nullopt;
    MessageState state;
    state.recipients.reserve(count);
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
        auto& recipient = state.recipients.emplace_back();
        const auto status = in.number<std::uint8_t>();
        if (status > static_cast<std::uint8_t>(RecipientStatus::cancelled)) return std::nullopt;
        recipient.status = static_cast<RecipientStatus>(status);
        recipient.attempts = in.number<std::uint8_t>();
        recipient.delay_notified = in.number<std::uint8_t>() != 0;
        recipient.next_attempt = wall_time(in.number<std::int64_t>());
        recipient.last_reply = in.text<std::uint16_t>();
        recipient.last_upstream = in.text<std::uint16_t>();
        if (!decided) continue;
        recipient.priority = in.number<std::uint8_t>();
        if (recipient.priority > lowest_priority) return std::nullopt;
        recipient.moved_to = in.text<std::uint16_t>();
    }
    if (!in.done()) return std::nullopt;
    return state;
}

std::string encode(const SegmentRange& range) {
    std::string out;
    put(out, range.oldest);
    put(out, range.newest);
    return out;
}

std::optional<SegmentRange> decode_range(std::string_view octets) {
    OctetReader in(octets);
    SegmentRange range;
    range.oldest = in.number<std::uint32_t>();
    range.newest = in.number<std::uint32_t>();
    if (!in.done()) return std::nullopt;
    return range;
}

}  // namespace outpost::spool
