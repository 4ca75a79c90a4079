#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "limit/counter.hpp"
#include "limit/delivery_hours.hpp"

/// When the queue will be empty if no more mail comes and everything stays as it is now: an
/// estimate. Mail is seen as a fluid that flows through upstreams, or through the limits of an
/// account, as fast as these allow. Pure.
namespace outpost::delivery {

/// What mail flows through.
struct Supply {
    std::optional<double> speed{};  ///< recipients a second by its connections; nothing: not known
    std::vector<limit::LimitsInUse> limits{};
    std::optional<limit::DeliveryHours> hours{};
    base::WallTime from{};  ///< takes nothing before
    /// `while upstream office is paused`; empty: it takes mail.
    std::string stopped{};
    /// Whoever does not know its speed may take it for faster than all limits.
    bool unlimited = false;
};

/// Mail that waits.
struct Demand {
    std::uint64_t messages = 0;
    std::uint64_t recipients = 0;
    std::uint64_t octets = 0;
    std::vector<std::size_t> by{};  ///< supplies that share it, by index
    base::WallTime not_before{};    ///< of its last message
};

struct Outlook {
    std::optional<base::WallTime> at{};
    std::string why{};  ///< without a time: `not while upstream office is paused`
    bool operator==(const Outlook&) const = default;
};

/// Beyond this nothing is foretold.
inline constexpr std::chrono::days longest_forecast{366};

/// One for each demand.
[[nodiscard]] std::vector<Outlook> forecast(const std::vector<Supply>& supplies,
                                            const std::vector<Demand>& demands, base::WallTime now);
/// Both have to come about.
[[nodiscard]] Outlook later(Outlook a, Outlook b);

}  // namespace outpost::delivery
