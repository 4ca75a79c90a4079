#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <optional>

#include "base/text.hpp"
#include "message/dsn_parts.hpp"
#include "message/transcode.hpp"
#include "smtp/xtext.hpp"

namespace outpost::message::dsn_parts {

namespace {

std::string_view action_name(DsnAction action) noexcept {
    switch (action) {
        case DsnAction::failed: return "failed";
        case DsnAction::delayed: return "delayed";
        case DsnAction::delivered: return "delivered";
        case DsnAction::relayed: return "relayed";
        case DsnAction::expanded: return "expanded";
    }
    return "failed";
}

/// A field whose value is folded (RFC 3464 section 2.1.1: as RFC 5322 fields).
void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    append_wrapped(out, value, " ");
    out.append("\r\n");
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto octet = [&](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
    if (code < 0x80) return octet(code);
    if (code < 0x800) {
        octet(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            octet(0xE0 | code >> 12);
        } else {
            octet(0xF0 | code >> 18);
            octet(0x80 | (code >> 12 & 0x3F));
        }
        octet(0x80 | (code >> 6 & 0x3F));
    }
    octet(0x80 | (code & 0x3F));
}

/// utf-8-addr-xtext of RFC 6533 section 3: `\x{E9}` stands for a code point.
std::optional<std::string> decode_utf8_address(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        if (!text.starts_with("\\x{")) {
            out.push_back(text.front());
            text.remove_prefix(1);
            continue;
        }
        const auto end = text.find('}');
        if (end == std::string_view::npos) return std::nullopt;
        std::uint32_t code = 0;
        const char* last = text.data() + end;
        const auto parsed = std::from_chars(text.data() + 3, last, code, 16);
        if (parsed.ec != std::errc{} || parsed.ptr != last || code > 0x10FFFF) return std::nullopt;
        append_utf8(out, code);
        text.remove_prefix(end + 1);
    }
    return base::is_utf8(out) ? std::optional(out) : std::nullopt;
}

/// `rfc822; user+x@example.com` from ORCPT as sent; the encoded form stays where the decoded one
/// could not stand in a field.
std::string original_recipient(std::string_view orcpt, bool utf8) {
    const auto semicolon = orcpt.find(';');
    if (semicolon == std::string_view::npos) return {};
    const std::string_view type = orcpt.substr(0, semicolon);
    const std::string_view encoded = orcpt.substr(semicolon + 1);
    auto decoded = smtp::xtext_decode(encoded);
    if (base::iequals(type, "utf-8")) {
        if (!utf8)
            decoded = std::nullopt;
        else
            decoded = decode_utf8_address(decoded ? *decoded : encoded);
    }
    const std::string_view address =
        decoded && shown(*decoded, utf8) == *decoded ? std::string_view(*decoded) : encoded;
    return fmt::format("{}; {}", shown(type, false), shown(address, utf8));
}

/// The host of `mx.example.com [192.0.2.1]:25`, or the address literal of `[192.0.2.1]:25`.
std::string_view remote_host(std::string_view remote) noexcept {
    if (remote.starts_with('[')) return remote.substr(0, remote.find(']') + 1);
    return remote.substr(0, remote.find_first_of(" :"));
}

void append_recipient(std::string& out, const DsnRecipient& entry, bool utf8) {
    out.append("\r\n");
    if (const auto original = original_recipient(entry.recipient.orcpt, utf8); !original.empty())
        append_field(out, "Original-Recipient", original);
    const std::string& address = entry.recipient.address;
    append_field(
        out, "Final-Recipient",
        fmt::format("{}; {}", has_eight_bit(address) ? "utf-8" : "rfc822", shown(address, utf8)));
    append_field(out, "Action", action_name(entry.action));
    append_field(out, "Status", status_of(entry).text());
    if (entry.reply.code != 0 && !entry.remote.empty())
        append_field(out, "Remote-MTA",
                     fmt::format("dns; {}", shown(remote_host(entry.remote), utf8)));
    if (!entry.reply.lines.empty())
        append_field(out, "Diagnostic-Code",
                     fmt::format("{}; {}", entry.reply.code != 0 ? "smtp" : "x-outpost",
                                 shown(entry.reply.code != 0 ? entry.reply.text()
                                                             : entry.reply.lines.front(),
                                       utf8)));
    if (entry.last_attempt)
        append_field(out, "Last-Attempt-Date", base::rfc5322_date(*entry.last_attempt));
    if (entry.action == DsnAction::delayed && entry.will_retry_until)
        append_field(out, "Will-Retry-Until", base::rfc5322_date(*entry.will_retry_until));
}

/// Future-Release-Request (RFC 4865 section 5) as it was made, and Deliver-By-Date (RFC 2852
/// section 5).
void append_schedule(std::string& out, const smtp::Envelope& envelope) {
    if (envelope.hold_for)
        append_field(out, "Future-Release-Request",
                     fmt::format("for;{}", envelope.hold_for->count()));
    else if (envelope.release_at)
        append_field(out, "Future-Release-Request",
                     "until;" + base::rfc3339_seconds(*envelope.release_at));
    if (envelope.deliver_by)
        append_field(out, "Deliver-By-Date", base::rfc5322_date(envelope.deliver_by->by));
}

}  // namespace

smtp::EnhancedStatus status_of(const DsnRecipient& recipient) noexcept {
    const smtp::EnhancedStatus given = recipient.reply.status;
    switch (recipient.action) {
        case DsnAction::failed:
            if (recipient.deliver_by) return {5, 4, 7};
            if (recipient.expired) return {4, 4, 7};
            if (given.klass == 5 || given.klass == 4) return given;
            return {5, 0, 0};
        case DsnAction::delayed:
            if (recipient.deliver_by) return {4, 4, 7};
            return given.klass == 4 ? given : smtp::EnhancedStatus{4, 0, 0};
        case DsnAction::delivered:
        case DsnAction::relayed:
        case DsnAction::expanded: return given.klass == 2 ? given : smtp::EnhancedStatus{2, 0, 0};
    }
    return given;
}

std::string delivery_status(const Context& context) {
    const DsnRequest& request = context.request;
    std::string out;
    out.reserve(256 + 384 * request.recipients.size());
    append_field(out, "Reporting-MTA", fmt::format("dns; {}", request.hostname));
    if (const auto envid = smtp::xtext_decode(request.envelope.envid); envid && !envid->empty())
        append_field(out, "Original-Envelope-Id", shown(*envid, context.utf8));
    append_field(out, "Arrival-Date", base::rfc5322_date(request.envelope.received));
    append_schedule(out, request.envelope);
    append_field(out, "X-Outpost-Queue-Id", request.original_id.text());
    for (const DsnRecipient& entry : request.recipients) append_recipient(out, entry, context.utf8);
    return out;
}

}  // namespace outpost::message::dsn_parts
