#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "config/types.hpp"
#include "upstream/transport.hpp"

namespace outpost::upstream {

/// Any transport, for messages whose author, reply address or reverse-path is to be another. The
/// body is still streamed: only the header section is read ahead. With VERP each recipient is a
/// transaction of their own.
class OverrideTransport final : public Transport {
  public:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    OverrideTransport(std::unique_ptr<Transport> inner, config::Overrides overrides)
        : inner_(std::move(inner)), overrides_(std::move(overrides)) {}

    awaitable<SendReport> send(Delivery delivery) override;
    awaitable<std::expected<void, std::string>> probe() override;
    [[nodiscard]] std::optional<std::size_t> idle_connections() const override {
        return inner_->idle_connections();
    }
    awaitable<void> close() override;

  private:
    awaitable<SendReport> send_each(Delivery delivery);

    std::unique_ptr<Transport> inner_;
    config::Overrides overrides_;
};

}  // namespace outpost::upstream
