#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "message/dsn_parts.hpp"

namespace outpost::message::dsn_parts {

namespace {

constexpr std::size_t max_column = 77;
/// A word without spaces is cut here: a line must stay well under 998 octets.
constexpr std::size_t max_word = 400;

struct Advice {
    std::uint16_t subject;
    std::uint16_t detail;
    std::string_view text;
};

/// By enhanced status code (RFC 3463); detail 0 stands for all others of its subject.
constexpr Advice advices[] = {
    {1, 2, "Check the part of the address after the @: that domain takes no mail."},
    {1, 7, "Check the sender address that your program uses."},
    {1, 8, "Check the sender address that your program uses."},
    {1, 0, "Check the address for typing errors; the mailbox may not exist any more."},
    {2, 2, "The mailbox is full: ask the recipient by other means to make room, then send again."},
    {2, 3, "Send a smaller message, or put large files on a server and send a link."},
    {2, 0, "Ask the recipient by other means whether the mailbox is still in use."},
    {3, 4, "Send a smaller message, or put large files on a server and send a link."},
    {4, 6, "Ask your mail administrator to look for a mail loop."},
    {4, 0, "Check the address; if it is right, send the message again later."},
    {6, 3, "Ask your mail administrator for a way out that offers 8BITMIME."},
    {6, 7,
     "The receiving server takes no addresses or header fields in UTF-8: use an ASCII "
     "address."},
    {6, 0, "The receiving server does not take a message of this form: change it and send again."},
    {7, 0,
     "The receiving server refused the message by its own rules. Show its words to your "
     "mail administrator."},
};

std::string_view advice_for(const DsnRecipient& entry) noexcept {
    if (entry.deliver_by || (!entry.expired && entry.reply.status == smtp::EnhancedStatus{5, 4, 7}))
        return "Send the message again with more time for delivery, or without setting one (BY).";
    const smtp::EnhancedStatus given =
        entry.expired && entry.reply.status.present() ? entry.reply.status : status_of(entry);
    for (const Advice& advice : advices)
        if (advice.subject == given.subject &&
            (advice.detail == given.detail || advice.detail == 0))
            return advice.text;
    return "Show these words to your mail administrator.";
}

struct Counts {
    std::size_t failed = 0;
    std::size_t delayed = 0;
    std::size_t succeeded = 0;
};

Counts count(const std::vector<DsnRecipient>& recipients) noexcept {
    Counts counts;
    for (const DsnRecipient& entry : recipients) {
        if (entry.action == DsnAction::failed)
            ++counts.failed;
        else if (entry.action == DsnAction::delayed)
            ++counts.delayed;
        else
            ++counts.succeeded;
    }
    return counts;
}

std::string people(std::size_t count) {
    return count == 1 ? "one recipient" : fmt::format("{} recipients", count);
}

void append_paragraph(std::string& out, std::string_view text) {
    append_wrapped(out, text, "");
    out.append("\r\n\r\n");
}

void append_summary(std::string& out, const Context& context) {
    const Counts counts = count(context.request.recipients);
    if (counts.failed > 0)
        append_paragraph(out, fmt::format("Your message could not be delivered to {}. It will not "
                                          "be tried again.",
                                          people(counts.failed)));
    if (counts.delayed > 0)
        append_paragraph(out, fmt::format("Your message has not yet been delivered to {}. This "
                                          "relay goes on trying. You need not send it again.",
                                          people(counts.delayed)));
    if (counts.succeeded > 0)
        append_paragraph(out, fmt::format("As you asked to be told: your message to {} went on "
                                          "its way, as said below.",
                                          people(counts.succeeded)));
}

void append_original(std::string& out, const Context& context) {
    const auto line = [&out](std::string_view name, std::string_view value) {
        if (value.empty()) return;
        append_wrapped(out, fmt::format("{:<14}{}", name, value), "              ");
        out.append("\r\n");
    };
    line("  Subject:", context.original_subject);
    line("  Accepted:", base::rfc5322_date(context.request.envelope.received));
    line("  Message-ID:", context.original_message_id);
    line("  Queue id:", context.request.original_id.text());
    out.append("\r\n");
}

/// What happened, in one sentence that ends before the reply's words.
std::string event_text(const DsnRecipient& entry, bool utf8) {
    const bool answered = entry.reply.code != 0 && !entry.remote.empty();
    const std::string remote = shown(entry.remote, utf8);
    switch (entry.action) {
        case DsnAction::failed:
            if (entry.deliver_by)
                return "The time for delivery that was set with the message (BY) is over. The last "
                       "attempt ended with:";
            if (entry.expired)
                return answered ? fmt::format(
                                      "The time for delivery is over. The last answer, "
                                      "from {}:",
                                      remote)
                                : "The time for delivery is over. The last attempt ended with:";
            return answered ? fmt::format("{} refused the message and said:", remote)
                            : "The message could not be passed on:";
        case DsnAction::delayed:
            if (entry.deliver_by)
                return "Not delivered by the time that was set with the message (BY). The last "
                       "attempt ended with:";
            return answered ? fmt::format("{} asked to try later and said:", remote)
                            : "The last attempt ended with:";
        case DsnAction::relayed:
            if (entry.deliver_by)
                return fmt::format(
                    "Passed on to {}; you are told since you set a time for "
                    "delivery (BY). It said:",
                    remote.empty() ? "the next server" : remote);
            return fmt::format(
                "Passed on to {}, which does not report deliveries: no further "
                "report will come. It said:",
                remote.empty() ? "the next server" : remote);
        case DsnAction::delivered: return "Delivered:";
        case DsnAction::expanded: return "Passed on to several addresses:";
    }
    return {};
}

void append_recipient(std::string& out, const DsnRecipient& entry, bool utf8) {
    out.append(fmt::format("<{}>\r\n  ", shown(entry.recipient.address, utf8)));
    append_wrapped(out, event_text(entry, utf8), "  ");
    out.append("\r\n      ");
    const bool words = !entry.reply.lines.empty() && !entry.reply.lines.front().empty();
    append_wrapped(
        out,
        words ? shown(entry.reply.code != 0 ? entry.reply.text() : entry.reply.lines.front(), utf8)
              : std::string("(no more is known)"),
        "      ");
    out.append("\r\n");
    if (entry.action == DsnAction::failed) {
        out.append("  ");
        append_wrapped(out, fmt::format("What to do: {}", advice_for(entry)), "  ");
        out.append("\r\n");
    }
    if (entry.action == DsnAction::delayed && entry.will_retry_until)
        out.append(
            fmt::format("  Tried until: {}\r\n", base::rfc5322_date(*entry.will_retry_until)));
    out.append("\r\n");
}

}  // namespace

std::string shown(std::string_view text, bool utf8) {
    const bool keep = utf8 && base::is_utf8(text);
    std::string out(text);
    for (char& c : out) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet < 32 || octet == 127 || (octet > 127 && !keep)) c = '?';
    }
    return out;
}

void append_wrapped(std::string& out, std::string_view text, std::string_view indent) {
    const auto line_start = out.rfind('\n');
    std::size_t column = out.size() - (line_start == std::string::npos ? 0 : line_start + 1);
    bool first = out.empty() || out.back() == '\n' || out.back() == ' ';
    while (!text.empty()) {
        std::size_t end = std::min(text.find(' ', 1), text.size());
        if (end > max_word) {
            end = max_word;
            while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
            if (end == 0) end = max_word;
        }
        std::string_view word = text.substr(0, end);
        text.remove_prefix(end);
        if (!first && column + word.size() > max_column) {
            out.append("\r\n").append(indent);
            column = indent.size();
            if (word.starts_with(' ')) word.remove_prefix(1);
        }
        out.append(word);
        column += word.size();
        first = false;
    }
}

std::string notice(const Context& context) {
    const DsnRequest& request = context.request;
    std::string out;
    out.reserve(1024 + 512 * request.recipients.size());
    append_paragraph(out, fmt::format("This is the mail relay at {}.", request.hostname));
    append_summary(out, context);
    append_original(out, context);
    for (const DsnRecipient& entry : request.recipients) append_recipient(out, entry, context.utf8);
    if (!context.returns_full)
        append_paragraph(
            out, request.envelope.ret != smtp::Ret::headers && count(request.recipients).failed > 0
                     ? "The message is too large or of a form that cannot be "
                       "returned: only its header section is attached."
                     : "The header section of the message is attached.");
    else
        append_paragraph(out, "The message is attached.");
    return out;
}

}  // namespace outpost::message::dsn_parts
