#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/metrics.hpp"
#include "delivery/delivery_log.hpp"

/// What delivery counts about itself (docs/metrics.md).
namespace outpost::delivery {

/// The attempts at one upstream. Looks its members up once.
class AttemptCounts {
  public:
    explicit AttemptCounts(std::string_view upstream);
    void add(const AttemptRecord& record) noexcept;

  private:
    std::array<base::metrics::Counter*, 7> recipients_{};  ///< by Settled
    base::metrics::Histogram* connect_;
    base::metrics::Histogram* greeting_;
    base::metrics::Histogram* transfer_;
    base::metrics::Histogram* total_;
};

/// Recipients whose time was over while they waited.
void count_expired(std::size_t recipients) noexcept;
/// A bounce, a notice of a delay, or a report of success that was asked for.
void count_report(std::string_view kind) noexcept;

}  // namespace outpost::delivery
