#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace outpost::base {

/// XXH3, 64 bits: detects damage, is no protection against an adversary.
[[nodiscard]] std::uint64_t checksum(std::string_view octets) noexcept;

/// The same over octets that come in pieces.
class Checksum {
  public:
    Checksum();
    ~Checksum();
    Checksum(Checksum&&) noexcept;
    Checksum& operator=(Checksum&&) noexcept;

    void update(std::string_view octets) noexcept;
    [[nodiscard]] std::uint64_t digest() const noexcept;
    void reset() noexcept;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace outpost::base
