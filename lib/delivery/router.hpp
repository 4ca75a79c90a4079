#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "config/types.hpp"
#include "spool/queue.hpp"

/// Which upstream a message goes to. Pure. Upstreams are numbered in the order of
/// Config::upstreams.
namespace outpost::delivery {

class Router {
  public:
    explicit Router(const config::Config& config);

    /// An account's route; nothing for an account that is no longer configured.
    [[nodiscard]] std::optional<spool::UpstreamIndex> route(const std::string& account) const;
    /// The way of our own reports where it does not depend on what they are about: dsn.via, or the
    /// only upstream there is.
    [[nodiscard]] std::optional<spool::UpstreamIndex> reports() const noexcept { return reports_; }

  private:
    std::unordered_map<std::string, spool::UpstreamIndex> accounts_;
    std::optional<spool::UpstreamIndex> reports_;
};

}  // namespace outpost::delivery
