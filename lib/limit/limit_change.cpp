#include "limit/limit_change.hpp"

namespace outpost::limit {

LimitChange::LimitChange(Limiter& limiter) : limiter_(limiter) {
    for (const Limiter::Id id : limiter_.all())
        before_.emplace_back(limiter_.key(id), limiter_.limits(id));
}

LimitChange::~LimitChange() {
    if (kept_) return;
    // None of these is new by now, so the store is not asked, and nothing fails.
    for (const auto& [key, limits] : before_) limiter_.define(key, limits);
    const auto all = limiter_.all();
    for (std::size_t i = before_.size(); i < all.size(); ++i)
        limiter_.define(limiter_.key(all[i]), {});
}

}  // namespace outpost::limit
