#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/clock.hpp"
#include "upstream/outcome.hpp"

/// Whether the next message may go to an upstream now. Trouble of a whole upstream is kept here and
/// not in each message's back-off, so that all its mail flows again with the first success. Pure:
/// one object an upstream, time is an argument. How fast an open upstream is used (rates, pace) is
/// not decided here.
namespace outpost::delivery {

/// What an attempt says about the upstream as a whole.
enum class GateSignal : std::uint8_t {
    alive,          ///< it answered for a message
    unclear,        ///< nothing
    throttled,      ///< it asked for less (a 4xx reply that concerns everything)
    unreachable,    ///< no connection, or one that did not last
    misconfigured,  ///< our credentials or the account are refused: for the operator to mend
};

struct GateReport {
    GateSignal signal = GateSignal::unclear;
    std::optional<std::chrono::seconds> wait;  ///< that the upstream asked for
    std::string reason;                        ///< its words, for trouble
};

/// The worst of what the recipients' outcomes say. A suspect message (AttemptContext::suspect) is
/// no proof that the upstream's configuration is wrong, unless upstream::refuses_us().
[[nodiscard]] GateReport gate_report(std::span<const upstream::Outcome> outcomes, bool suspect);

class UpstreamGate {
  public:
    enum class State : std::uint8_t {
        open,
        backing_off,  ///< one attempt at a time, at growing intervals
        suspended,    ///< misconfigured: no mail; a login is tried every 15 minutes
    };
    enum class Change : std::uint8_t { none, backed_off, suspended, opened };
    /// Given to an attempt at its start, returned at its end.
    struct Ticket {
        std::uint32_t period = 0;
        bool probing = false;
    };

    explicit UpstreamGate(std::uint32_t concurrency) : concurrency_(concurrency) {}

    [[nodiscard]] bool may_start(base::MonoTime now) const noexcept;
    /// Only if may_start().
    [[nodiscard]] Ticket start() noexcept;
    /// What the attempt's end changed for the upstream.
    Change finish(Ticket ticket, const GateReport& report, base::MonoTime now);
    /// The same of an attempt that did not start here.
    Change finish_other(const GateReport& report, base::MonoTime now) {
        ++active_;
        return finish({.period = period_, .probing = false}, report, now);
    }

    [[nodiscard]] bool login_probe_due(base::MonoTime now) const noexcept;
    void begin_login_probe() noexcept { login_probe_out_ = true; }
    Change end_login_probe(bool success, base::MonoTime now);

    /// Goes on as another one has left it; the attempts of that one are not its own.
    void inherit(const UpstreamGate& other);

    /// The operator says that it is put right. True if it was closed.
    bool reopen();

    /// When a closed gate has something to try; nothing while open or while a try is under way.
    [[nodiscard]] std::optional<base::MonoTime> next_event() const noexcept;

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] std::uint32_t active() const noexcept { return active_; }
    /// Backing off because the upstream has asked for less: it works.
    [[nodiscard]] bool throttled() const noexcept {
        return state_ == State::backing_off && cause_ == GateSignal::throttled;
    }
    /// The following three hold while not open.
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    [[nodiscard]] base::MonoTime since() const noexcept { return since_; }
    [[nodiscard]] base::MonoTime next_try() const noexcept { return next_try_; }

  private:
    Change back_off(const GateReport& report, base::MonoTime now);
    Change suspend(const GateReport& report, base::MonoTime now);
    Change open();

    std::uint32_t concurrency_;
    std::uint32_t active_ = 0;
    std::uint32_t period_ = 0;  ///< counts openings and closings
    State state_ = State::open;
    GateSignal cause_ = GateSignal::unclear;
    std::chrono::seconds interval_{0};  ///< the last one
    bool probe_out_ = false;
    bool login_probe_out_ = false;
    std::string reason_;
    base::MonoTime since_{};
    base::MonoTime next_try_{};
};

}  // namespace outpost::delivery
