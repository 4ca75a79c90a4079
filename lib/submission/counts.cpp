#include "submission/counts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "base/text.hpp"

namespace outpost::submission::counts {
namespace {

namespace metrics = base::metrics;
using account::AuthFailure;

constexpr std::size_t refusals = static_cast<std::size_t>(Refused::storage) + 1;

metrics::Enumerated<metrics::Counter, refusals> refused_by_reason(
    "outpost_refused_total", "Connections, commands and messages that were turned down.", "reason",
    {"too_many_connections",
     "too_many_from_address",
     "failed_logins",
     "no_proxy_header",
     "no_account",
     "not_encrypted",
     "not_signed_in",
     "protocol",
     "inactive_account",
     "sender",
     "schedule",
     "submit_rate",
     "quota",
     "too_many_recipients",
     "too_big",
     "bare_newline",
     "content",
     "header",
     "mail_loop",
     "storage"});

metrics::Single<metrics::Counter> messages("outpost_accepted_messages_total",
                                           "Messages that were stored and answered with 250.");
metrics::Single<metrics::Counter> recipients("outpost_accepted_recipients_total",
                                             "Recipients of these messages.");
metrics::Single<metrics::Counter> bytes("outpost_accepted_bytes_total",
                                        "Octets of these messages as stored.");

metrics::Enumerated<metrics::Counter, 2> handshakes("outpost_tls_handshakes_total",
                                                    "TLS handshakes with clients.", "version",
                                                    {"TLSv1.2", "TLSv1.3"});
metrics::Single<metrics::Counter> failed_handshakes("outpost_tls_handshake_failures_total",
                                                    "TLS handshakes with clients that failed.");

constexpr std::array<std::string_view, 4> mechanisms{"SCRAM-SHA-256", "PLAIN", "LOGIN", "other"};
/// The failures in the order of AuthFailure, then what is none.
constexpr std::array<std::string_view, 10> login_results{"wrong_credentials",
                                                         "unknown_mechanism",
                                                         "malformed",
                                                         "inactive_account",
                                                         "network",
                                                         "account_throttled",
                                                         "address_throttled",
                                                         "unavailable",
                                                         "busy",
                                                         "success"};
constexpr std::size_t busy = 8;
constexpr std::size_t success = 9;
static_assert(static_cast<std::size_t>(AuthFailure::unavailable) + 1 == busy);

/// A table, for lack of a lookup by two labels that costs nothing.
class Logins {
  public:
    Logins() {
        for (std::size_t m = 0; m < mechanisms.size(); ++m)
            for (std::size_t r = 0; r < login_results.size(); ++r)
                members_[m][r] = &family_.with({mechanisms[m], login_results[r]});
    }
    void add(std::string_view mechanism, std::size_t result) noexcept {
        const auto* const known =
            std::ranges::find_if(mechanisms.begin(), mechanisms.end() - 1,
                                 [&](auto name) { return base::iequals(name, mechanism); });
        members_[static_cast<std::size_t>(known - mechanisms.begin())][result]->add();
    }

  private:
    metrics::Family<metrics::Counter> family_{
        "outpost_logins_total", "AUTH commands of clients.", {"mechanism", "result"}};
    std::array<std::array<metrics::Counter*, login_results.size()>, mechanisms.size()> members_{};
};
Logins logins;

metrics::Family<metrics::Counter> sessions_total("outpost_sessions_total",
                                                 "Connections of clients that were taken.",
                                                 {"listener", "tls"});
metrics::Family<metrics::Gauge> sessions_open("outpost_sessions_open",
                                              "Connections of clients that are open.",
                                              {"listener", "tls"});

/// `[::]:25,587,1025-5000`
std::string name_of(const config::Listener& listener) {
    const bool v6 = listener.address.contains(':');
    std::string name = v6 ? "[" + listener.address + "]" : listener.address;
    char separator = ':';
    for (const config::PortRange& range : listener.ports) {
        name += separator;
        separator = ',';
        name += range.single() ? fmt::format("{}", range.first)
                               : fmt::format("{}-{}", range.first, range.last);
    }
    return name;
}

std::string_view name_of(config::ListenerTls tls) noexcept {
    switch (tls) {
        case config::ListenerTls::starttls: return "starttls";
        case config::ListenerTls::implicit: return "implicit";
        case config::ListenerTls::none: break;
    }
    return "none";
}

}  // namespace

void refused(Refused why) noexcept {
    refused_by_reason[static_cast<std::size_t>(why)].add();
}

Refused reason(smtp::Refusal why) noexcept {
    using enum smtp::Refusal;
    switch (why) {
        case starttls_first:
        case auth_in_clear: return Refused::not_encrypted;
        case authentication_first: return Refused::not_signed_in;
        case too_many_recipients: return Refused::too_many_recipients;
        case message_too_big: return Refused::too_big;
        default: return Refused::protocol;
    }
}

Refused reason(smtp::BodyFault why) noexcept {
    using enum smtp::BodyFault;
    switch (why) {
        case too_big: return Refused::too_big;
        case bare_newline: return Refused::bare_newline;
        default: return Refused::content;
    }
}

void accepted(std::uint64_t count, std::uint64_t octets) noexcept {
    messages->add();
    recipients->add(count);
    bytes->add(octets);
}

void encrypted(std::string_view cipher) noexcept {
    handshakes[cipher.starts_with("TLSv1.3") ? 1 : 0].add();
}

void handshake_failed() noexcept {
    failed_handshakes->add();
}

void signed_in(std::string_view mechanism) noexcept {
    logins.add(mechanism, success);
}

void not_signed_in(std::string_view mechanism, AuthFailure why) noexcept {
    logins.add(mechanism, static_cast<std::size_t>(why));
}

void login_refused_as_busy(std::string_view mechanism) noexcept {
    logins.add(mechanism, busy);
}

Sessions sessions(const config::Listener& listener) {
    const std::string name = name_of(listener);
    const std::string_view tls = name_of(listener.tls);
    return {&sessions_total.with({name, tls}), &sessions_open.with({name, tls})};
}

}  // namespace outpost::submission::counts
