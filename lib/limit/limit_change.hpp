#pragma once

#include <string>
#include <utility>
#include <vector>

#include "limit/limiter.hpp"

namespace outpost::limit {

/// Other limits for many counters, all of them or none: what define() has set since this was made
/// is put back when it goes, unless keep() was called. Counters that are new have no limits then.
class LimitChange {
  public:
    explicit LimitChange(Limiter& limiter);
    ~LimitChange();
    LimitChange(const LimitChange&) = delete;
    LimitChange& operator=(const LimitChange&) = delete;

    void keep() noexcept { kept_ = true; }

  private:
    Limiter& limiter_;
    std::vector<std::pair<std::string, Limits>> before_;  ///< by Id, from 0
    bool kept_ = false;
};

}  // namespace outpost::limit
