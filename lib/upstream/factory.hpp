#pragma once

#include <boost/asio/io_context.hpp>
#include <expected>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "net/offload.hpp"
#include "net/resolver.hpp"
#include "smtp/client_machine.hpp"
#include "smtp/sasl.hpp"
#include "upstream/transport.hpp"

namespace outpost::upstream {

/// What transports use of the world. All of it outlives them.
struct Facilities {
    boost::asio::io_context& context;  ///< where the transport lives; its one executor
    net::Resolver& resolver;
    net::OffloadPool& pool;  ///< for PBKDF2, re-encoding and files
    const base::Clock& clock;
    smtp::SaslClientFactory sasl = nullptr;
    std::string hostname;       ///< what EHLO says
    smtp::ClientLimits limits;  ///< RFC 5321's; shorter in tests
};

/// The transport for an upstream of the configuration. The error names what cannot be used (the
/// system's certificate authorities, the sandbox directory). It must be destroyed on its executor,
/// after close(), with no send under way.
[[nodiscard]] std::expected<std::unique_ptr<Transport>, std::string> make_transport(
    const config::Upstream& upstream, const Facilities& facilities);

/// What is to be done when the answer for a message never came.
[[nodiscard]] config::Uncertain uncertain_of(const config::Upstream& upstream);

}  // namespace outpost::upstream
