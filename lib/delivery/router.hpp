#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/types.hpp"
#include "delivery/ways.hpp"
#include "message/header_reader.hpp"
#include "smtp/envelope.hpp"

/// Which way each recipient of a message goes: the account's own route, else the first of the
/// configured routes that fits. Pure.
namespace outpost::delivery {

class Router {
  public:
    Router(const config::Config& config, const Ways& ways);

    /// Whether the account is configured.
    [[nodiscard]] bool knows(std::string_view account) const;
    /// The way of all mail of an account and priority; nothing if that depends on the message, or
    /// the account is not configured.
    [[nodiscard]] std::optional<WayIndex> route(std::string_view account,
                                                std::uint8_t priority) const;
    /// The way of each recipient. `account` is configured; `header` is looked at only if
    /// reads_header().
    [[nodiscard]] std::vector<WayIndex> routes(std::string_view account,
                                               const smtp::Envelope& envelope,
                                               const message::HeaderSection& header) const;
    struct Choice {
        WayIndex way = 0;
        std::string because;  ///< `routes[2] (recipient_domain gmail.com)`
    };
    /// The way of one recipient, and which route said so.
    [[nodiscard]] Choice explain(std::string_view account, const smtp::Envelope& envelope,
                                 const message::HeaderSection& header, std::size_t recipient) const;
    [[nodiscard]] bool reads_header() const noexcept { return reads_header_; }
    /// The way of our own reports where it does not depend on what they are about: dsn.via, or the
    /// only upstream there is.
    [[nodiscard]] std::optional<WayIndex> reports() const noexcept { return reports_; }

  private:
    struct Route {
        config::Route when;
        WayIndex way = 0;
    };
    /// Of those whose sender and header fit, the first that fits the recipient too; the
    /// configuration sees to it that there is one (check_all_routed).
    [[nodiscard]] const Route& first_fit(std::string_view account, const smtp::Envelope& envelope,
                                         const message::HeaderSection& header,
                                         std::string_view address) const;

    std::map<std::string, std::optional<WayIndex>, std::less<>> accounts_;  ///< own routes
    std::vector<Route> routes_;
    bool reads_header_ = false;
    std::optional<WayIndex> reports_;
};

}  // namespace outpost::delivery
