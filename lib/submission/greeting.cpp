#include "submission/greeting.hpp"

#include "smtp/extensions.hpp"
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
    return offered;
}

}  // namespace

Greeting::Greeting(const Services& services)
    : banner_(wording::banner(services.hostname)), helo_(wording::helo(services.hostname)) {
    for (const bool starttls : {false, true})
        for (const bool auth : {false, true})
            ehlo_[(starttls ? 1U : 0U) + (auth ? 2U : 0U)] =
                smtp::ehlo_reply(services.hostname, extensions(services, starttls, auth)).wire();
}

}  // namespace outpost::submission
