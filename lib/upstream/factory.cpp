#include "upstream/factory.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include "upstream/api_factory.hpp"
#include "upstream/override_transport.hpp"
#include "upstream/sandbox_transport.hpp"
#include "upstream/sendmail_transport.hpp"
#include "upstream/smtp_settings.hpp"
#include "upstream/smtp_transport.hpp"

namespace outpost::upstream {

namespace {

using Made = std::expected<std::unique_ptr<Transport>, std::string>;

std::expected<std::shared_ptr<net::TlsClient>, std::string> make_tls(const config::Verify& verify) {
    using Verify = net::TlsClient::Verify;
    switch (verify.mode) {
        case config::Verify::Mode::none: return net::TlsClient::make(Verify::none);
        case config::Verify::Mode::fingerprint:
            return net::TlsClient::make(Verify::fingerprint, verify.sha256);
        case config::Verify::Mode::full: break;
    }
    return net::TlsClient::make(Verify::full);
}

smtp::ClientSettings::Tls tls_mode(config::Encryption encryption) {
    using Tls = smtp::ClientSettings::Tls;
    switch (encryption) {
        case config::Encryption::none: return Tls::none;
        case config::Encryption::tls: return Tls::implicit;
        case config::Encryption::starttls: break;
    }
    return Tls::starttls;
}

Made make_smtp(const config::Upstream& upstream, const config::SmtpUpstream& kind,
               const Facilities& facilities) {
    std::shared_ptr<net::TlsClient> tls;
    if (kind.encryption != config::Encryption::none) {
        auto made = make_tls(kind.verify);
        if (!made)
            return std::unexpected(fmt::format("upstream {}: {}", upstream.name, made.error()));
        tls = std::move(*made);
    }
    std::shared_ptr<TokenSource> tokens;
    if (kind.oauth2)
        tokens = std::make_shared<TokenSource>(facilities.context, *kind.oauth2, facilities.clock);
    const auto settings = std::make_shared<const SmtpSettings>(
        SmtpSettings{.context = facilities.context,
                     .pool = facilities.pool,
                     .host = kind.host,
                     .bracketed = kind.bracketed,
                     .port = kind.port,
                     .client = {.hostname = facilities.hostname,
                                .tls = tls_mode(kind.encryption),
                                .authenticate = !kind.username.empty(),
                                .limits = facilities.limits},
                     .tls = std::move(tls),
                     .username = kind.username,
                     .password = kind.password,
                     .sasl = facilities.sasl,
                     .tokens = std::move(tokens),
                     .body_along = kind.uncertain == config::Uncertain::retry,
                     .redaction = Redaction(kind.username, kind.password)});
    const SmtpTransport::Reuse reuse{.messages_per_connection = kind.messages_per_connection,
                                     .most_idle = upstream.concurrency};
    return std::make_unique<SmtpTransport>(settings, reuse, facilities.resolver, facilities.clock);
}

Made make_sandbox(const config::Upstream& upstream, const config::SandboxUpstream& kind,
                  const Facilities& facilities) {
    std::error_code error;
    std::filesystem::create_directories(kind.directory, error);
    if (error)
        return std::unexpected(fmt::format(
            "upstream {}: cannot create the directory {}: {}; name one that can be written to",
            upstream.name, kind.directory, error.message()));
    return std::make_unique<SandboxTransport>(kind.directory, facilities.pool);
}

Made make_sendmail(const config::SendmailUpstream& kind, const Facilities& facilities) {
    return std::make_unique<SendmailTransport>(
        SendmailTransport::Settings{.context = facilities.context,
                                    .pool = facilities.pool,
                                    .clock = facilities.clock,
                                    .command = kind.command});
}

Made make_plain(const config::Upstream& upstream, const Facilities& facilities) {
    if (const auto* smtp = std::get_if<config::SmtpUpstream>(&upstream.kind))
        return make_smtp(upstream, *smtp, facilities);
    if (const auto* api = std::get_if<config::ApiUpstream>(&upstream.kind))
        return make_api_transport(upstream, *api, facilities);
    if (const auto* sendmail = std::get_if<config::SendmailUpstream>(&upstream.kind))
        return make_sendmail(*sendmail, facilities);
    return make_sandbox(upstream, std::get<config::SandboxUpstream>(upstream.kind), facilities);
}

}  // namespace

Made make_transport(const config::Upstream& upstream, const Facilities& facilities) {
    auto made = make_plain(upstream, facilities);
    if (!made || upstream.overrides == config::Overrides{}) return made;
    return std::make_unique<OverrideTransport>(std::move(*made), upstream.overrides);
}

config::Uncertain uncertain_of(const config::Upstream& upstream) {
    if (const auto* smtp = std::get_if<config::SmtpUpstream>(&upstream.kind))
        return smtp->uncertain;
    if (const auto* api = std::get_if<config::ApiUpstream>(&upstream.kind))
        return uncertain_of(*api);
    return config::Uncertain::retry;
}

}  // namespace outpost::upstream
