#include "delivery/router.hpp"

namespace outpost::delivery {

Router::Router(const config::Config& config) {
    std::unordered_map<std::string, spool::UpstreamIndex> upstreams;
    for (const auto& [name, upstream] : config.upstreams)
        upstreams.emplace(name, static_cast<spool::UpstreamIndex>(upstreams.size()));
    for (const auto& [name, account] : config.accounts)
        accounts_.emplace(name, upstreams.at(account.route));
    if (!config.dsn.via.empty()) {
        reports_ = upstreams.at(config.dsn.via);
    } else if (upstreams.size() == 1) {
        reports_ = 0;
    }
}

std::optional<spool::UpstreamIndex> Router::route(const std::string& account) const {
    const auto found = accounts_.find(account);
    if (found == accounts_.end()) return std::nullopt;
    return found->second;
}

}  // namespace outpost::delivery
