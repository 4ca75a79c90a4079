#pragma once

#include <utility>

#include "submission/greeting.hpp"
#include "submission/settings.hpp"

namespace outpost::submission {

/// What sessions are held by. Immutable; a reload makes others for the sessions that begin after
/// it.
struct Terms {
    explicit Terms(Services all) : services(std::move(all)), greeting(services) {}

    const Services services;
    const Greeting greeting;
};

}  // namespace outpost::submission
