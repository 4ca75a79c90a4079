#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace outpost::smtp {

enum class BodyType : std::uint8_t { seven_bit, eight_bit_mime, binary_mime };
/// RET of RFC 3461 section 4.3.
enum class Ret : std::uint8_t { unspecified, full, headers };

/// NOTIFY of RFC 3461 section 4.1. Nothing given: failure, and delay at our choice.
struct Notify {
    bool given = false;
    bool never = false;
    bool success = false;
    bool failure = false;
    bool delay = false;

    bool operator==(const Notify&) const = default;
    [[nodiscard]] bool wants_failure() const noexcept { return !given || failure; }
    [[nodiscard]] bool wants_delay() const noexcept { return !given || delay; }
};

struct Recipient {
    std::string address;  ///< local@domain as the client gave it
    Notify notify;
    std::string orcpt;  ///< `rfc822;user+2Bx@example.com`, xtext kept as sent; empty if none

    bool operator==(const Recipient&) const = default;
};

/// BY of RFC 2852: the time to deliver by, and what happens if that fails.
struct DeliverBy {
    enum class Mode : std::uint8_t {
        notify,       ///< N: the sender is told of the delay, delivery goes on
        return_mail,  ///< R: the message is given up and returned
    };
    base::WallTime by{};
    Mode mode = Mode::notify;
    bool trace = false;  ///< T: each relay on the way reports that it passed the message on

    bool operator==(const DeliverBy&) const = default;
};

/// What the time of a message runs by.
struct Lifetime {
    base::WallTime start{};  ///< when delivery may begin: received, or the release if that is later
    std::optional<DeliverBy> deliver_by;

    bool operator==(const Lifetime&) const = default;
    /// When the message is to be given up by its sender's wish; WallTime::max() if never.
    [[nodiscard]] base::WallTime return_at() const noexcept {
        const bool returns = deliver_by && deliver_by->mode == DeliverBy::Mode::return_mail;
        return returns ? deliver_by->by : base::WallTime::max();
    }
    /// When the sender wishes to be told of a delay; WallTime::max() if no wish is known. A time
    /// that was over at the start is no wish: a relay before us has told the sender.
    [[nodiscard]] base::WallTime notify_at() const noexcept {
        const bool notifies = deliver_by && deliver_by->mode == DeliverBy::Mode::notify;
        return notifies && deliver_by->by > start ? deliver_by->by : base::WallTime::max();
    }
};

/// What an SMTP transaction says of a message, apart from its octets.
struct Envelope {
    std::string account;       ///< who submitted it; empty for our own reports
    std::string reverse_path;  ///< local@domain, or empty for the null reverse-path
    std::vector<Recipient> recipients;
    std::string envid;  ///< xtext as sent; empty if none
    Ret ret = Ret::unspecified;
    BodyType body = BodyType::seven_bit;
    bool smtputf8 = false;                   ///< the client asked for SMTPUTF8
    std::optional<std::int8_t> mt_priority;  ///< RFC 6710, -9 .. 9
    std::uint8_t priority = 3;               ///< effective: 1 highest .. 5
    base::WallTime received{};
    std::string client;  ///< `[192.0.2.1]`, for logs
    /// RFC 4865: not to be delivered before this time.
    std::optional<base::WallTime> release_at;
    /// The interval of HOLDFOR; release_at without it came from HOLDUNTIL.
    std::optional<std::chrono::seconds> hold_for;
    std::optional<DeliverBy> deliver_by;

    bool operator==(const Envelope&) const = default;
    [[nodiscard]] Lifetime lifetime() const noexcept {
        return {.start = std::max(received, release_at.value_or(received)),
                .deliver_by = deliver_by};
    }
};

}  // namespace outpost::smtp
