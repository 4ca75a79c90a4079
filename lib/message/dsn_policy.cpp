#include "message/dsn_policy.hpp"

namespace outpost::message {

std::optional<DsnAction> report_due(const smtp::Envelope& envelope,
                                    const smtp::Recipient& recipient,
                                    DeliveryEvent event) noexcept {
    const smtp::Notify& notify = recipient.notify;
    if (envelope.reverse_path.empty() || notify.never) return std::nullopt;
    const auto due = [](bool wanted, DsnAction action) {
        return wanted ? std::optional(action) : std::nullopt;
    };
    switch (event) {
        case DeliveryEvent::failed: return due(notify.wants_failure(), DsnAction::failed);
        case DeliveryEvent::delayed: return due(notify.wants_delay(), DsnAction::delayed);
        case DeliveryEvent::relayed_without_dsn: return due(notify.success, DsnAction::relayed);
        case DeliveryEvent::delivered: return due(notify.success, DsnAction::delivered);
        case DeliveryEvent::relayed_deliver_by: return DsnAction::relayed;
        case DeliveryEvent::relayed_with_dsn: return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace outpost::message
