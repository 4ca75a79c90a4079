#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "base/secret.hpp"
#include "net/offload.hpp"
#include "net/tls_context.hpp"
#include "smtp/client_machine.hpp"
#include "smtp/sasl.hpp"
#include "upstream/redaction.hpp"
#include "upstream/token_source.hpp"

namespace outpost::upstream {

/// What every connection to an SMTP upstream needs; shared by them, never changed.
struct SmtpSettings {
    boost::asio::io_context& context;
    net::OffloadPool& pool;
    std::string host;        ///< a name or an address, without brackets
    bool bracketed = false;  ///< that host itself, no MX lookup
    std::uint16_t port = 25;
    smtp::ClientSettings client;
    std::shared_ptr<net::TlsClient> tls;  ///< null without encryption
    std::string username;
    base::Secret password;
    smtp::SaslClientFactory sasl = nullptr;
    std::shared_ptr<TokenSource> tokens{};  ///< OAuth 2 instead of the password, if set
    /// Whether a connection that dies without a word may have its message sent again at once,
    /// even if a body was in the first write (`uncertain: retry`).
    bool body_along = true;
    Redaction redaction{};  ///< of username and password
};

}  // namespace outpost::upstream
