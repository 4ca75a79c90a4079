#include "message/dsn.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "message/dsn_parts.hpp"
#include "message/header_reader.hpp"
#include "message/transcode.hpp"

namespace outpost::message {

namespace {

using dsn_parts::Context;

/// One body part of the report, without boundary lines.
struct Part {
    std::string type;  ///< Content-Type with parameters
    std::string_view description;
    std::string_view octets;
};

bool has_action(const std::vector<DsnRecipient>& recipients, DsnAction action) noexcept {
    return std::ranges::find(recipients, action, &DsnRecipient::action) != recipients.end();
}

bool any_failed(const std::vector<DsnRecipient>& recipients) noexcept {
    return has_action(recipients, DsnAction::failed);
}

/// Words that programs which sort bounces know from other mail servers.
std::string_view subject(const std::vector<DsnRecipient>& recipients) noexcept {
    if (any_failed(recipients)) return "Undelivered Mail Returned to Sender";
    if (has_action(recipients, DsnAction::delayed)) return "Delayed Mail (still being retried)";
    return "Successful Mail Delivery Report";
}

/// The report is an internationalized one (RFC 6533): an address in it is not ASCII.
bool needs_utf8(const DsnRequest& request) {
    return has_eight_bit(request.to) || std::ranges::any_of(request.recipients, [](const auto& r) {
               return has_eight_bit(r.recipient.address);
           });
}

/// `<...>` without white space or control characters, or nothing.
std::string usable_message_id(const HeaderSection& header, bool utf8) {
    const HeaderField* field = header.find(FieldKind::message_id);
    if (field == nullptr) return {};
    std::string id = unfold(field->value);
    constexpr std::size_t longest = 900;
    if (id.size() < 3 || id.size() > longest || id.front() != '<' || id.back() != '>') return {};
    if (id.find_first_of(" \t<>", 1) != id.size() - 1) return {};
    return dsn_parts::shown(id, utf8) == id ? id : std::string();
}

std::string subject_to_show(const HeaderSection& header, bool utf8) {
    const HeaderField* field = header.find(FieldKind::subject);
    if (field == nullptr) return {};
    constexpr std::size_t longest = 200;
    return dsn_parts::shown(base::printable(unfold(field->value), longest), utf8);
}

/// What is returned of the original, by RET and size.
Part returned_part(const DsnRequest& request, const HeaderSection& header, bool full) {
    const std::string_view head = request.original.substr(0, header.end);
    const bool global = header.eight_bit && base::is_utf8(head);
    if (full)
        return {global ? "message/global" : "message/rfc822", "Undelivered message",
                request.original};
    return {global ? "message/global-headers" : "text/rfc822-headers", "Message header", head};
}

/// A delimiter line that stands in none of the parts (RFC 2046 section 5.1.1).
std::string boundary(const DsnRequest& request, std::initializer_list<Part> parts) {
    for (unsigned attempt = 0;; ++attempt) {
        std::string text = fmt::format("=_{}.{}.{}", request.id.text(), request.random, attempt);
        const std::string line = "--" + text;
        if (std::ranges::none_of(parts, [&](const Part& p) { return p.octets.contains(line); }))
            return text;
    }
}

void append_part(std::string& out, const Part& part, std::string_view mark) {
    out.append(fmt::format(
        "--{}\r\nContent-Description: {}\r\nContent-Type: {}\r\nContent-Transfer-Encoding: "
        "{}\r\n\r\n",
        mark, part.description, part.type, has_eight_bit(part.octets) ? "8bit" : "7bit"));
    out.append(part.octets);
    if (!part.octets.ends_with("\r\n")) out.append("\r\n");
    out.append("\r\n");
}

void append_header(std::string& out, const Context& context, std::string_view mark,
                   bool eight_bit) {
    const DsnRequest& request = context.request;
    out.append(fmt::format(
        "From: {}\r\nTo: <{}>\r\nSubject: {}\r\nDate: {}\r\n"
        "Message-ID: <{}.{}@{}>\r\n",
        dsn_parts::shown(request.from, true), request.to, subject(request.recipients),
        base::rfc5322_date(request.now), request.id.text(), request.random, request.hostname));
    if (!context.original_message_id.empty())
        out.append(
            fmt::format("In-Reply-To: {0}\r\nReferences: {0}\r\n", context.original_message_id));
    out.append(
        fmt::format("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                    "\tboundary=\"{}\"\r\nContent-Transfer-Encoding: {}\r\n\r\n",
                    mark, eight_bit ? "8bit" : "7bit"));
}

smtp::Envelope report_envelope(const DsnRequest& request, bool eight_bit, bool smtputf8) {
    smtp::Envelope envelope;
    smtp::Recipient recipient;
    recipient.address = request.to;
    recipient.notify.given = true;
    recipient.notify.never = true;
    envelope.recipients.push_back(std::move(recipient));
    envelope.body = eight_bit ? smtp::BodyType::eight_bit_mime : smtp::BodyType::seven_bit;
    envelope.smtputf8 = smtputf8;
    envelope.received = request.now;
    return envelope;
}

}  // namespace

bool dsn_returns_full(const smtp::Envelope& envelope, const std::vector<DsnRecipient>& recipients,
                      std::uint64_t size, std::size_t limit) noexcept {
    return any_failed(recipients) && envelope.ret != smtp::Ret::headers && size <= limit &&
           envelope.body != smtp::BodyType::binary_mime;
}

Dsn build_dsn(const DsnRequest& request) {
    const HeaderSection header = read_header(request.original);
    Context context{.request = request};
    context.utf8 = needs_utf8(request);
    context.returns_full = request.original_complete &&
                           dsn_returns_full(request.envelope, request.recipients,
                                            request.original.size(), request.return_limit);
    context.original_subject = subject_to_show(header, context.utf8);
    context.original_message_id = usable_message_id(header, has_eight_bit(request.to));

    const std::string words = dsn_parts::notice(context);
    const std::string status = dsn_parts::delivery_status(context);
    const Part people{fmt::format("text/plain; charset={}", context.utf8 ? "utf-8" : "us-ascii"),
                      "Notification", words};
    const Part machines{context.utf8 ? "message/global-delivery-status" : "message/delivery-status",
                        "Delivery report", status};
    const Part original = returned_part(request, header, context.returns_full);
    const std::string mark = boundary(request, {people, machines, original});

    const bool body_eight_bit =
        has_eight_bit(words) || has_eight_bit(status) || has_eight_bit(original.octets);
    Dsn dsn;
    dsn.message.reserve(2048 + words.size() + status.size() + original.octets.size());
    append_header(dsn.message, context, mark, body_eight_bit);
    const bool smtputf8 = has_eight_bit(dsn.message);
    dsn.message.append("This is a delivery report in MIME format.\r\n\r\n");
    for (const Part* part : {&people, &machines, &original}) append_part(dsn.message, *part, mark);
    dsn.message.append("--").append(mark).append("--\r\n");
    dsn.envelope = report_envelope(request, body_eight_bit || smtputf8, smtputf8);
    return dsn;
}

}  // namespace outpost::message
