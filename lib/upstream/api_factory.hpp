#pragma once

#include <memory>
#include <string>

#include "config/types.hpp"
#include "upstream/factory.hpp"

namespace outpost::upstream {

/// The transport for an email provider's API; never null for a loaded configuration.
[[nodiscard]] std::unique_ptr<Transport> make_api_transport(const config::Upstream& upstream,
                                                            const config::ApiUpstream& kind,
                                                            const Facilities& facilities);

/// Where its calls go: the configuration's endpoint, or that of the provider in the region.
[[nodiscard]] std::string endpoint_of(const config::ApiUpstream& kind);

/// What a call without an answer means for the message. Only a provider that knows a repeated call
/// is asked again unless the configuration says so.
[[nodiscard]] config::Uncertain uncertain_of(const config::ApiUpstream& kind);

}  // namespace outpost::upstream
