#include "submission/schedule.hpp"

#include "submission/wording.hpp"

namespace outpost::submission {

std::expected<void, std::string> schedule(const smtp::MailCommand& mail, base::WallTime now,
                                          smtp::Envelope& envelope) {
    envelope.hold_for = mail.hold_for;
    envelope.release_at = mail.hold_for ? std::optional(now + *mail.hold_for) : mail.hold_until;
    envelope.deliver_by.reset();
    if (mail.by)
        envelope.deliver_by = {
            .by = now + mail.by->time, .mode = mail.by->mode, .trace = mail.by->trace};
    if (!envelope.release_at) return {};
    const auto latest = now + max_future_release;
    if (*envelope.release_at > latest)
        return std::unexpected(wording::release_too_far(max_future_release, latest));
    if (envelope.deliver_by && envelope.deliver_by->by <= *envelope.release_at)
        return std::unexpected(std::string(wording::release_after_deadline));
    return {};
}

}  // namespace outpost::submission
