#include "delivery/notices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace outpost::delivery {
namespace {

smtp::Reply own_words(std::string words) {
    smtp::Reply reply;
    reply.lines.push_back(std::move(words));
    return reply;
}

}  // namespace

message::DeliveryEvent success_event(const smtp::Envelope& envelope,
                                     const upstream::SendReport& report,
                                     bool final_delivery) noexcept {
    using enum message::DeliveryEvent;
    if (final_delivery) return delivered;
    // With mode R the message went to nobody who does not offer DELIVERBY.
    const auto& by = envelope.deliver_by;
    if (by && (by->trace || !report.deliver_by_relayed)) return relayed_deliver_by;
    return report.dsn_relayed ? relayed_with_dsn : relayed_without_dsn;
}

void Notices::settled(std::uint32_t index, Settled what, const upstream::Outcome& outcome,
                      message::DeliveryEvent success) {
    switch (what) {
        case Settled::delivered:
            if (const auto action = due(index, success))
                collect(succeeded_, index,
                        {.recipient = envelope_.recipients[index],
                         .action = *action,
                         .reply = outcome.reply,
                         .remote = outcome.remote,
                         .last_attempt = now_,
                         .expired = false,
                         .deliver_by = success == message::DeliveryEvent::relayed_deliver_by,
                         .will_retry_until = std::nullopt});
            break;
        case Settled::failed: given_up(index, false, outcome.reply, outcome.remote); break;
        case Settled::expired: given_up(index, true, outcome.reply, outcome.remote); break;
        case Settled::uncertain:
            uncertain_.push_back(index);
            given_up(index, false,
                     own_words(fmt::format("The message was handed over, but no answer came back "
                                           "({}). It may or may not have been delivered; it is not "
                                           "sent again.",
                                           outcome.reply.text())),
                     outcome.remote);
            break;
        case Settled::deferred:
        case Settled::passed_on:
        case Settled::held: break;
    }
}

std::vector<std::uint32_t> Notices::check_time() {
    const smtp::Lifetime lifetime = envelope_.lifetime();
    const bool over = now_ >= policy_.end(lifetime);
    if (!over && now_ < policy_.notice_at(lifetime)) return {};
    std::vector<std::uint32_t> expired;
    for (std::uint32_t index = 0; index < state_.recipients.size(); ++index) {
        spool::RecipientState& recipient = state_.recipients[index];
        if (recipient.status != spool::RecipientStatus::pending) continue;
        smtp::Reply last = own_words(recipient.last_reply.empty() ? "no attempt was possible so far"
                                                                  : recipient.last_reply);
        if (over) {
            recipient.status = spool::RecipientStatus::failed;
            given_up(index, true, std::move(last), {});
            expired.push_back(index);
        } else if (!std::exchange(recipient.delay_notified, true)) {
            delayed(index, std::move(last), lifetime);
        }
    }
    return expired;
}

void Notices::delayed(std::uint32_t index, smtp::Reply last, const smtp::Lifetime& lifetime) {
    const auto action = due(index, message::DeliveryEvent::delayed);
    if (!action) return;
    collect(delayed_, index,
            {.recipient = envelope_.recipients[index],
             .action = *action,
             .reply = std::move(last),
             .remote = {},
             .last_attempt = std::nullopt,
             .expired = false,
             .deliver_by = lifetime.notify_at() != base::WallTime::max(),
             .will_retry_until = policy_.end(lifetime)});
}

void Notices::withdraw(const Notice& notice, base::WallTime again) {
    const bool was_delay = &notice == &delayed_;
    for (const std::uint32_t index : notice.indices) {
        spool::RecipientState& recipient = state_.recipients[index];
        if (was_delay) {
            recipient.delay_notified = false;
        } else if (std::ranges::find(uncertain_, index) == uncertain_.end()) {
            recipient.status = spool::RecipientStatus::pending;
            recipient.next_attempt = again;
        }
    }
}

void Notices::collect(Notice& notice, std::uint32_t index, message::DsnRecipient recipient) {
    notice.indices.push_back(index);
    notice.recipients.push_back(std::move(recipient));
}

void Notices::given_up(std::uint32_t index, bool expired, smtp::Reply reply, std::string remote) {
    const auto action = due(index, message::DeliveryEvent::failed);
    if (!action) {
        if (expired) state_.recipients[index].status = spool::RecipientStatus::cancelled;
        return;
    }
    const bool tried = state_.recipients[index].attempts > 0;
    collect(failed_, index,
            {.recipient = envelope_.recipients[index],
             .action = *action,
             .reply = std::move(reply),
             .remote = std::move(remote),
             .last_attempt = tried ? std::optional(now_) : std::nullopt,
             .expired = expired,
             .deliver_by = expired && now_ >= envelope_.lifetime().return_at(),
             .will_retry_until = std::nullopt});
}

std::optional<message::DsnAction> Notices::due(std::uint32_t index,
                                               message::DeliveryEvent event) const {
    if (!enabled_) return std::nullopt;
    return message::report_due(envelope_, envelope_.recipients[index], event);
}

}  // namespace outpost::delivery
