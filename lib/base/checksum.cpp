#include "base/checksum.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace outpost::base {

struct Checksum::State {
    XXH3_state_t xxh;
};

std::uint64_t checksum(std::string_view octets) noexcept {
    return XXH3_64bits(octets.data(), octets.size());
}

Checksum::Checksum() : state_(std::make_unique<State>()) {
    reset();
}
Checksum::~Checksum() = default;
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum& Checksum::operator=(Checksum&&) noexcept = default;

void Checksum::update(std::string_view octets) noexcept {
    XXH3_64bits_update(&state_->xxh, octets.data(), octets.size());
}

std::uint64_t Checksum::digest() const noexcept {
    return XXH3_64bits_digest(&state_->xxh);
}
void Checksum::reset() noexcept {
    XXH3_64bits_reset(&state_->xxh);
}

}  // namespace outpost::base
