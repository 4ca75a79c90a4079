#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace outpost::base {

/// A value that must never be printed: it has no formatter and no stream operator, and reveal()
/// is the one way to read it. The octets are overwritten when it is destroyed or replaced.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
    Secret& operator=(const Secret& other);
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { wipe(); }

    [[nodiscard]] std::string_view reveal() const noexcept { return value_; }
    [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
    bool operator==(const Secret&) const = default;

  private:
    void wipe() noexcept;

    std::string value_;
};

}  // namespace outpost::base
