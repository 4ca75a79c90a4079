#include "message/trace_headers.hpp"

#include <array>

#include "message/header_edit.hpp"

namespace outpost::message {

namespace {

constexpr std::string_view crlf = "\r\n";

/// A header field of clauses, folded before a clause that would pass column 78.
class FoldedField {
  public:
    FoldedField(std::string& out, std::string_view name) : out_(out), column_(name.size() + 1) {
        out_.append(name).push_back(':');
    }
    /// `parts` together are one clause, never split.
    void clause(std::initializer_list<std::string_view> parts) {
        std::size_t size = 0;
        for (const std::string_view part : parts) size += part.size();
        if (column_ + 1 + size > max_column) {
            out_.append("\r\n\t");
            column_ = tab_width;
        } else {
            out_.push_back(' ');
            ++column_;
        }
        for (const std::string_view part : parts) out_.append(part);
        column_ += size;
    }

  private:
    static constexpr std::size_t max_column = 77;
    static constexpr std::size_t tab_width = 8;
    std::string& out_;
    std::size_t column_;
};

/// ASCII that can end neither a token nor a comment.
constexpr auto received_safe = [] {
    std::array<bool, 128> table{};
    for (std::size_t c = 33; c < 127; ++c)
        table[c] = !std::string_view("()<>\\\";,").contains(static_cast<char>(c));
    return table;
}();

/// What a client chose, fit for a Received field: `?` for what could end a token or a comment, and
/// for UTF-8 in a message that is not SMTPUTF8.
std::string harmless(std::string_view text, bool utf8, std::size_t limit) {
    std::string out(text.substr(0, limit));
    for (char& c : out) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet > 127 ? !utf8 : !received_safe[octet]) c = '?';
    }
    return out;
}

bool taken_out(const HeaderField& field, const TraceFacts& facts) noexcept {
    switch (field.kind) {
        case FieldKind::bcc:
        case FieldKind::resent_bcc:
        case FieldKind::return_path: return true;
        case FieldKind::other: return !facts.provider_headers && is_provider_control(field.name);
        default: return false;
    }
}

void append_received(std::string& out, const TraceFacts& facts) {
    constexpr std::size_t max_domain = 255;
    FoldedField field(out, "Received");
    const std::string helo = harmless(facts.helo, facts.smtputf8, max_domain);
    field.clause({"from ", helo.empty() ? std::string_view("unknown") : helo});
    const std::string name = harmless(facts.client_name, false, max_domain);
    const bool ipv6 = facts.client_address.contains(':');
    field.clause(
        {"(", name, name.empty() ? "" : " ", ipv6 ? "[IPv6:" : "[", facts.client_address, "])"});
    if (facts.tls && !facts.tls_text.empty()) field.clause({"(using ", facts.tls_text, ")"});
    if (!facts.account.empty())
        field.clause({"(account ", harmless(facts.account, facts.smtputf8, max_domain), ")"});
    field.clause({"by ", facts.hostname});
    const std::string id = facts.id.text();
    // A recipient cannot hold CR or LF: the path grammar of the envelope sees to that.
    const bool recipient = !facts.recipient.empty();
    field.clause({"with ", protocol_name(facts), " id ", id, recipient ? "" : ";"});
    if (recipient) field.clause({"for <", facts.recipient, ">;"});
    field.clause({base::rfc5322_date(facts.now)});
    out.append(crlf);
}

/// The fields from the front up to `end`, without those that are taken out.
void append_kept(std::string& out, std::string_view message, const HeaderSection& header,
                 std::size_t end, const TraceFacts& facts) {
    std::size_t from = 0;
    for (const HeaderField& field : header.fields) {
        if (!taken_out(field, facts)) continue;
        out.append(message.substr(from, field.offset - from));
        from = field.offset + field.size;
    }
    if (from < end) out.append(message.substr(from, end - from));
}

void append_missing(std::string& out, const HeaderSection& header, const TraceFacts& facts) {
    if (!out.ends_with(crlf)) out.append(crlf);
    if (header.count(FieldKind::date) == 0)
        out.append("Date: ").append(base::rfc5322_date(facts.now)).append(crlf);
    if (header.count(FieldKind::message_id) == 0) {
        out.append("Message-ID: <").append(facts.id.text()).append(".").append(facts.random);
        out.append("@").append(facts.hostname).append(">\r\n");
    }
    if (!header.has_empty_line()) out.append(crlf);
}

}  // namespace

std::string_view protocol_name(const TraceFacts& facts) noexcept {
    // Bit 0: authenticated, bit 1: TLS.
    static constexpr std::string_view esmtp[] = {"ESMTP", "ESMTPA", "ESMTPS", "ESMTPSA"};
    static constexpr std::string_view utf8[] = {"UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA"};
    const std::size_t index = (facts.authenticated ? 1U : 0U) + (facts.tls ? 2U : 0U);
    if (facts.smtputf8) return utf8[index];
    return facts.esmtp ? esmtp[index] : std::string_view("SMTP");
}

std::string received_field(const TraceFacts& facts) {
    std::string out;
    out.reserve(512);
    append_received(out, facts);
    return out;
}

FixedHeader fix_up(std::string_view message, const HeaderSection& header, const TraceFacts& facts) {
    const bool complete = header.count(FieldKind::date) > 0 &&
                          header.count(FieldKind::message_id) > 0 && header.has_empty_line();
    std::size_t copied = complete ? 0 : header.end;
    if (complete)
        for (const HeaderField& field : header.fields)
            if (taken_out(field, facts)) copied = field.offset + field.size;
    FixedHeader fixed;
    fixed.data_offset = copied;
    fixed.head.reserve(copied + 768);
    append_received(fixed.head, facts);
    append_kept(fixed.head, message, header, copied, facts);
    if (!complete) append_missing(fixed.head, header, facts);
    return fixed;
}

}  // namespace outpost::message
