#pragma once

#include <filesystem>
#include <string>

#include "upstream/factory.hpp"
#include "upstream/transport.hpp"

namespace outpost::upstream {

/// "Delivers" into a directory, for trying things out: `ID.eml` holds the message octet for octet
/// and `ID.json` its envelope (id, account, sender, recipients). Both appear whole or not at all,
/// the .eml last. An I/O error defers the mail, with the path and the reason.
class SandboxTransport final : public Transport {
  public:
    SandboxTransport(std::filesystem::path directory, net::OffloadPool& pool)
        : directory_(std::move(directory)), pool_(pool) {}

    boost::asio::awaitable<SendReport> send(Delivery delivery) override;
    boost::asio::awaitable<std::expected<void, std::string>> probe() override;
    boost::asio::awaitable<void> close() override;

  private:
    std::filesystem::path directory_;
    net::OffloadPool& pool_;
};

}  // namespace outpost::upstream
