#include "submission/greeting.hpp"

#include "smtp/extensions.hpp"
#include "submission/schedule.hpp"
#include "submission/wording.hpp"

namespace outpost::submission {

namespace {

smtp::Extensions extensions(const Services& services, bool starttls, bool auth) {
    smtp::Extensions offered;
    offered.starttls = starttls;
    offered.pipelining = true;
    offered.eight_bit_mime = true;
    offered.smtputf8 = true;
    offered.chunking = true;
    offered.dsn = true;
    offered.enhanced_status_codes = true;
    offered.mt_priority = true;
    if (auth)
        for (const auto mechanism : account::Authenticator::mechanisms())
            offered.auth.emplace_back(mechanism);
    offered.size = services.limits.max_message_size;
    offered.rcpt_max = services.limits.max_recipients;
    // Any time over 0: what cannot be kept is returned when it is over, so a minimum would only
    // refuse mail that might have arrived in time.
    offered.deliver_by = 0;
    offered.future_release = {.max_interval = max_future_release, .max_time = {}};
    return offered;
}

constexpr std::size_t index(bool starttls, bool auth) noexcept {
    return (starttls ? 1U : 0U) + (auth ? 2U : 0U);
}

}  // namespace

Greeting::Greeting(const Services& services)
    : banner_(wording::banner(services.hostname)), helo_(wording::helo(services.hostname)) {
    for (const bool starttls : {false, true}) {
        for (const bool auth : {false, true}) {
            const smtp::Extensions offered = extensions(services, starttls, auth);
            const std::string wire = smtp::ehlo_reply(services.hostname, offered).wire();
            const std::string date = base::rfc3339_seconds(offered.future_release->max_time);
            const auto at = wire.find(date);
            ehlo_[index(starttls, auth)] = {wire.substr(0, at), wire.substr(at + date.size())};
        }
    }
}

std::string Greeting::ehlo(bool starttls, bool auth, base::WallTime now) const {
    const Ehlo& text = ehlo_[index(starttls, auth)];
    return text.before + base::rfc3339_seconds(now + max_future_release) + text.after;
}

}  // namespace outpost::submission
