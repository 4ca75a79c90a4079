#pragma once

#include <array>
#include <string>

#include "base/clock.hpp"
#include "submission/settings.hpp"

namespace outpost::submission {

/// The replies that every session begins with, made once but for a date. Immutable; any thread.
class Greeting {
  public:
    explicit Greeting(const Services& services);

    /// One line, without CRLF.
    [[nodiscard]] const std::string& banner() const noexcept { return banner_; }
    [[nodiscard]] const std::string& helo() const noexcept { return helo_; }
    /// All lines, as they go out; `now` is for FUTURERELEASE, which says until when mail is held.
    [[nodiscard]] std::string ehlo(bool starttls, bool auth, base::WallTime now) const;

  private:
    /// The reply's octets around the one date in it.
    struct Ehlo {
        std::string before;
        std::string after;
    };

    std::string banner_;
    std::string helo_;
    std::array<Ehlo, 4> ehlo_;
};

}  // namespace outpost::submission
