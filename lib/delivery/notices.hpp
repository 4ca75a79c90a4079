#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "delivery/retry_policy.hpp"
#include "message/dsn.hpp"
#include "smtp/envelope.hpp"
#include "spool/state.hpp"

/// Which reports a change of a message's state calls for. Pure.
namespace outpost::delivery {

/// The recipients of one report; `indices` are those in the envelope, in the same order.
struct Notice {
    std::vector<message::DsnRecipient> recipients;
    std::vector<std::uint32_t> indices;

    [[nodiscard]] bool empty() const noexcept { return indices.empty(); }
};

/// What a delivery by an attempt means for the reports; `final_delivery`: the upstream is the end
/// of the way.
[[nodiscard]] message::DeliveryEvent success_event(const smtp::Envelope& envelope,
                                                   const upstream::SendReport& report,
                                                   bool final_delivery) noexcept;

/// Collects the reports for one message. All references outlive it.
class Notices {
  public:
    struct Subject {
        const smtp::Envelope& envelope;
        spool::MessageState& state;
        base::WallTime now{};
    };
    Notices(Subject subject, const RetryPolicy& policy, config::Dsn::To to)
        : envelope_(subject.envelope),
          state_(subject.state),
          now_(subject.now),
          policy_(policy),
          enabled_(to != config::Dsn::To::none) {}

    /// After an attempt for one recipient. `success`: what a delivery means here.
    void settled(std::uint32_t index, Settled what, const upstream::Outcome& outcome,
                 message::DeliveryEvent success);
    /// Gives up pending recipients if the time is over; else collects the delay notices that are
    /// due, and marks them as given. Returns who expired.
    std::vector<std::uint32_t> check_time();
    /// The report was not stored: its recipients are as if it had never been due, until `again`;
    /// but those whose delivery is uncertain stay given up, as they must not be sent again.
    void withdraw(const Notice& notice, base::WallTime again);

    [[nodiscard]] const Notice& failed() const noexcept { return failed_; }
    [[nodiscard]] const Notice& delayed() const noexcept { return delayed_; }
    [[nodiscard]] const Notice& succeeded() const noexcept { return succeeded_; }
    [[nodiscard]] bool empty() const noexcept {
        return failed_.empty() && delayed_.empty() && succeeded_.empty();
    }

  private:
    void collect(Notice& notice, std::uint32_t index, message::DsnRecipient recipient);
    void given_up(std::uint32_t index, bool expired, smtp::Reply reply, std::string remote);
    void delayed(std::uint32_t index, smtp::Reply last, const smtp::Lifetime& lifetime);
    [[nodiscard]] std::optional<message::DsnAction> due(std::uint32_t index,
                                                        message::DeliveryEvent event) const;

    const smtp::Envelope& envelope_;
    spool::MessageState& state_;
    base::WallTime now_;
    const RetryPolicy& policy_;
    bool enabled_;
    std::vector<std::uint32_t> uncertain_;
    Notice failed_;
    Notice delayed_;
    Notice succeeded_;
};

}  // namespace outpost::delivery
