#include "smtp/client_commands.hpp"

#include <fmt/format.h>

#include <iterator>

namespace outpost::smtp {

namespace {

void append_notify(std::string& output, const Notify& notify) {
    output += " NOTIFY=";
    if (notify.never) {
        output += "NEVER";
        return;
    }
    const auto start = output.size();
    const auto add = [&](bool wanted, std::string_view word) {
        if (!wanted) return;
        if (output.size() > start) output += ',';
        output += word;
    };
    add(notify.success, "SUCCESS");
    add(notify.failure, "FAILURE");
    add(notify.delay, "DELAY");
}

}  // namespace

void append_mail(std::string& output, const TransactionPlan& plan) {
    const Extensions& offered = plan.offered;
    const Envelope& envelope = plan.envelope;
    const auto end = std::back_inserter(output);
    output += "MAIL FROM:<";
    output += envelope.reverse_path;
    output += '>';
    if (offered.size) fmt::format_to(end, " SIZE={}", plan.size);
    if (plan.body == BodyType::binary_mime && offered.binary_mime) {
        output += " BODY=BINARYMIME";
    } else if (plan.body == BodyType::eight_bit_mime && offered.eight_bit_mime) {
        output += " BODY=8BITMIME";
    }
    if (plan.smtputf8 && offered.smtputf8) output += " SMTPUTF8";
    if (offered.dsn) {
        if (envelope.ret == Ret::full) output += " RET=FULL";
        if (envelope.ret == Ret::headers) output += " RET=HDRS";
        if (!envelope.envid.empty()) output.append(" ENVID=").append(envelope.envid);
    }
    if (offered.mt_priority && envelope.mt_priority)
        fmt::format_to(end, " MT-PRIORITY={}", static_cast<int>(*envelope.mt_priority));
    if (plan.deliver_within && envelope.deliver_by)
        fmt::format_to(end, " BY={};{}{}", plan.deliver_within->count(),
                       envelope.deliver_by->mode == DeliverBy::Mode::return_mail ? 'R' : 'N',
                       envelope.deliver_by->trace ? "T" : "");
    output += "\r\n";
}

void append_rcpt(std::string& output, const Recipient& recipient, bool dsn) {
    output += "RCPT TO:<";
    output += recipient.address;
    output += '>';
    if (dsn) {
        const Notify& notify = recipient.notify;
        if (notify.given && (notify.never || notify.success || notify.failure || notify.delay))
            append_notify(output, notify);
        if (!recipient.orcpt.empty()) output.append(" ORCPT=").append(recipient.orcpt);
    }
    output += "\r\n";
}

}  // namespace outpost::smtp
