#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "config/types.hpp"
#include "delivery/history_notes.hpp"
#include "delivery/permits.hpp"
#include "delivery/picker.hpp"
#include "delivery/port.hpp"
#include "delivery/views.hpp"
#include "limit/limiter.hpp"
#include "smtp/envelope.hpp"
#include "spool/spool.hpp"
#include "upstream/outcome.hpp"

namespace outpost::delivery {

/// Stands as the account of a test in log and history.
inline constexpr std::string_view operator_account = "(operator)";

/// What an operator wants sent. Addresses are local@domain, checked.
struct TestRequest {
    std::string to{};
    std::string from{};     ///< empty: where our reports come from
    std::string subject{};  ///< see message::TestMessage
};

/// What came of it.
struct TestReport {
    UpstreamView upstream;  ///< as it stood before
    base::MessageId id;
    std::string from;
    std::string to;
    /// What the upstream said; nothing: nothing was sent, and `not_sent` says why.
    std::optional<upstream::Outcome> outcome{};
    std::string not_sent{};
    std::optional<base::WallTime> until{};  ///< of a limit that is used up, where that is known
    upstream::Stages stages{};
    std::chrono::microseconds took{};  ///< the whole attempt
};

/// Sends an operator's test message by one upstream, whatever state that is in. Not through the
/// spool: nothing was promised to anybody, and the operator sees what comes of it. Each limit holds
/// for it as for any mail, concurrency too. On the dispatcher's executor.
class TestSender {
  public:
    /// What is referred to outlives it.
    struct Parts {
        boost::asio::any_io_executor executor;
        spool::Spool& spool;
        const base::Clock& clock;
        limit::Limiter& limiter;
        Picker& picker;
        HistoryNotes history;
        std::chrono::milliseconds patience;  ///< to wait for a place
        std::function<void()> begun;
        /// Called once for each begun(). `report`: what it says of the upstream, if that is good.
        std::function<void(Port&, const GateReport& report)> ended;
    };
    TestSender(Parts parts, const config::Config& config);

    /// One attempt and no other. A second one at the same upstream is refused.
    boost::asio::awaitable<TestReport> send(Port& port, TestRequest request);

  private:
    struct Mail;
    [[nodiscard]] Mail write(const TestReport& report, std::string_view subject) const;
    using Start = std::function<void(std::function<void()> ready)>;
    boost::asio::awaitable<void> wait(Start start, std::chrono::milliseconds at_most);
    boost::asio::awaitable<bool> place(Port& port);
    boost::asio::awaitable<std::expected<Permit, Denial>> permit(const Mail& mail, PortIndex port);
    boost::asio::awaitable<GateReport> attempt(Port& port, Mail mail, TestReport& report);
    void record(Port& port, const Mail& mail, const upstream::SendReport& sent,
                std::chrono::microseconds took);

    Parts parts_;
    std::string hostname_;
    std::string author_;  ///< local@domain
};

}  // namespace outpost::delivery
