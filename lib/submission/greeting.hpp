#pragma once

#include <array>
#include <string>

#include "submission/settings.hpp"

namespace outpost::submission {

/// The replies that every session begins with, made once. Immutable; any thread.
class Greeting {
  public:
    explicit Greeting(const Services& services);

    /// One line, without CRLF.
    [[nodiscard]] const std::string& banner() const noexcept { return banner_; }
    [[nodiscard]] const std::string& helo() const noexcept { return helo_; }
    /// All lines, as they go out.
    [[nodiscard]] const std::string& ehlo(bool starttls, bool auth) const noexcept {
        return ehlo_[(starttls ? 1U : 0U) + (auth ? 2U : 0U)];
    }

  private:
    std::string banner_;
    std::string helo_;
    std::array<std::string, 4> ehlo_;
};

}  // namespace outpost::submission
