#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "delivery/alarm.hpp"
#include "delivery/courier.hpp"
#include "delivery/desk.hpp"
#include "delivery/inbox.hpp"
#include "delivery/intake.hpp"
#include "delivery/partings.hpp"
#include "delivery/pause.hpp"
#include "delivery/picker.hpp"
#include "delivery/port.hpp"
#include "delivery/switchboard.hpp"
#include "delivery/test_sender.hpp"
#include "spool/queue.hpp"
#include "spool/spool.hpp"
#include "upstream/transport.hpp"

namespace outpost::delivery {

/// Sends the stored mail: puts each message in the queue for its upstream and keeps as many
/// deliveries under way as the upstream's gate, its pace and all limits let through. Everything
/// happens on one executor, that of the transports; all members are called on it.
class Dispatcher : public std::enable_shared_from_this<Dispatcher> {
  public:
    using Transports = std::map<std::string, std::unique_ptr<upstream::Transport>>;
    /// What it uses of the world; spool, clock and limiter outlive it.
    struct Parts {
        boost::asio::any_io_executor executor;
        spool::Spool& spool;
        const base::Clock& clock;
        limit::Limiter& limiter;
        std::unique_ptr<Alarm> alarm;      ///< make_alarm(executor)
        std::uint64_t seed = 0;            ///< for the jitter
        history::Sink* history = nullptr;  ///< null: none is kept
        /// How long an operator's test waits for a place among the upstream's attempts.
        std::chrono::milliseconds test_patience = std::chrono::seconds(30);
    };

    /// `transports`: one for each of config.upstreams.
    Dispatcher(Parts parts, const config::Config& config, Transports transports);
    /// After stop(), or when its executor has stopped running.
    ~Dispatcher();
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    /// Before start(): these have been paused, and stay so.
    void pause(Pauses pauses);
    /// Queues what the spool recovered and takes all that it stores from now on. Call once.
    void start();
    /// Instead of start(): takes over all that another dispatcher of the spool has, which starts
    /// nothing more. What that one has under way comes when it is done; it keeps this one, which
    /// is held by a shared_ptr, alive. `same`: upstreams whose settings are the same in both. At
    /// its first suspension this one has its place already; returns when all that waited is here.
    boost::asio::awaitable<void> succeed(Dispatcher& before, std::set<std::string> same);
    /// Starts no more attempts, lets those under way finish for up to `grace`, then closes the
    /// transports. Returns how many attempts did not finish; their mail stays in the spool. May be
    /// called again with another grace time while it runs.
    boost::asio::awaitable<std::size_t> stop(std::chrono::milliseconds grace);

    /// After stop(): whether all that was under way has ended.
    [[nodiscard]] bool idle() const noexcept { return tasks_ == 0 && closing_ == 0; }
    /// Other accounts: routes for mail that arrives from now on, limits and weights for all mail.
    /// One that is gone should stay as removed, so that its mail keeps its limits. `limits`:
    /// Permits::define(config.accounts).
    void replace_accounts(const config::Config& config, Permits::Accounts limits);

    [[nodiscard]] const spool::Queue& queue() const noexcept { return queue_; }
    /// For operators; on the executor.
    [[nodiscard]] Desk& desk() noexcept { return desk_; }

  private:
    using Handle = spool::Queue::Handle;

    void arrived(const std::vector<spool::Summary>& batch);

    void pause_again();
    void retire(std::shared_ptr<Dispatcher> heir);
    [[nodiscard]] std::vector<std::shared_ptr<Desk>> earlier_desks() const;
    void hand_on();
    boost::asio::awaitable<void> hand_on_all();
    /// Returns when its heir has all that waits.
    boost::asio::awaitable<void> handed_on();
    /// Returns when this one has all that those before it had waiting.
    boost::asio::awaitable<void> settled();
    boost::asio::awaitable<void> hand_on_idle();
    [[nodiscard]] bool idle(const spool::QueueEntry& entry) const;
    void take_over(std::vector<Incoming> batch);
    void ended_elsewhere(const std::string& upstream, const GateReport& report);
    Incoming take_out(base::MessageId id, Handle handle);
    [[nodiscard]] Incoming as_incoming(const spool::QueueEntry& entry) const;

    /// Starts all that may start now: at the port, and at those that share mail with it.
    void pump(Port& port, base::MonoTime now);
    void pump_all(base::MonoTime now);
    struct Start {
        Picker::Pick pick;
        UpstreamGate::Ticket ticket;
    };
    std::optional<Start> start_next(Port& port, base::MonoTime now);
    void turn_away(const Picker::Unfit& unfit, const Port& port);
    boost::asio::awaitable<void> run_slot(Port& port, Start start);
    boost::asio::awaitable<Courier::Result> attempt(Port& port, Courier::Task task,
                                                    const Permit& permit);
    void limits_changed();
    /// `by`: the upstream that was asked, if one was. True if other parts of the message may go
    /// now.
    bool put_back(Handle handle, Courier::Result& result, const Port* by);
    boost::asio::awaitable<void> finish(boost::asio::awaitable<void> task);
    std::optional<Handle> next_overdue(base::WallTime now);
    boost::asio::awaitable<void> login_probe(Port& port);
    void test_ended(Port& port, const GateReport& report);
    void attend_overdue(base::WallTime now);
    boost::asio::awaitable<void> run_attendant(Handle handle);
    [[nodiscard]] bool waits_in_turn(const spool::QueueEntry& entry) const;
    Courier::Result internal_error(const spool::QueueEntry& entry, const std::string& what);

    void ring();
    void notice_clock(base::WallTime now);
    void arm(base::MonoTime now);
    void launch(boost::asio::awaitable<void> task, const char* what);
    void task_done();
    boost::asio::awaitable<void> close_transport(Port& port);

    boost::asio::any_io_executor executor_;
    spool::Spool& spool_;
    const base::Clock& clock_;
    std::unique_ptr<Alarm> alarm_;
    std::mt19937_64 random_;
    Switchboard switchboard_;
    Courier courier_;
    spool::Queue queue_;
    Partings partings_;
    Picker picker_;
    Intake intake_;
    std::vector<std::unique_ptr<Port>> ports_;
    TestSender tests_;
    Desk desk_;
    std::shared_ptr<Inbox> inbox_;
    base::MonoTime armed_ = base::MonoTime::max();
    base::WallTime last_wall_{};
    std::shared_ptr<Dispatcher> heir_;  ///< has all that waited
    bool handing_on_ = false;
    bool handed_on_ = false;                          ///< all that waited as the heir came
    bool more_to_hand_on_ = false;                    ///< something was put back meanwhile
    std::vector<std::weak_ptr<Dispatcher>> earlier_;  ///< those before it, oldest first
    /// Attempts that earlier ones have under way, by upstream; also by such as this one has not.
    std::map<std::string, std::uint32_t> elsewhere_;
    Pauses paused_elsewhere_;  ///< upstreams that it has not
    bool stopping_ = false;
    bool grace_over_ = false;
    std::size_t tasks_ = 0;  ///< coroutines that stop() waits for
    std::size_t attendants_ = 0;
    bool closing_begun_ = false;
    std::size_t closing_ = 0;            ///< transports
    boost::asio::steady_timer changed_;  ///< an event: cancelled when one of these is done
};

}  // namespace outpost::delivery
