#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "delivery/attempt_speed.hpp"
#include "delivery/courier.hpp"
#include "delivery/group_turns.hpp"
#include "delivery/pace.hpp"
#include "delivery/pause.hpp"
#include "delivery/picker.hpp"
#include "delivery/upstream_gate.hpp"
#include "delivery/ways.hpp"

namespace outpost::delivery {

/// One upstream as the dispatcher sees it: where its mail goes, and what decides whether another
/// attempt may start. Says in the log what changes. On one executor.
class Port {
  public:
    Port(const config::Upstream& upstream, std::unique_ptr<upstream::Transport> transport,
         PortIndex index);

    /// An attempt that is under way.
    struct Running {
        spool::Queue::Handle handle{};
        base::WallTime since;
        base::MonoTime started{};
        std::uint32_t recipients = 0;
    };

    /// Takes the place of another port of the upstream. `same`: with the same settings, so what is
    /// known of it still holds, and what its attempts under way will meet.
    void succeed(const Port& before, bool same);
    /// So many attempts of earlier ports of the upstream are under way; they count here.
    void set_elsewhere(std::uint32_t attempts);
    [[nodiscard]] std::uint32_t elsewhere() const noexcept { return elsewhere_; }
    /// How one of these has ended.
    void ended_elsewhere(const GateReport& report, base::MonoTime now);

    /// By the gate, the pace, and the limit that it waits for.
    [[nodiscard]] bool may_start(base::MonoTime now, base::WallTime wall);
    [[nodiscard]] UpstreamGate::Ticket start(const Picker::Pick& pick, base::MonoTime now,
                                             base::WallTime wall);
    void finish(spool::Queue::Handle handle, UpstreamGate::Ticket ticket, const GateReport& report,
                base::MonoTime now);
    /// An operator's test message begins: it takes the place of an attempt, also where the upstream
    /// takes no other mail. False while there is another one.
    bool begin_test() noexcept;
    /// Whether there is a place for it now.
    [[nodiscard]] bool test_may_start() const noexcept;
    /// Called once, at the next end of an attempt.
    void when_attempt_ends(std::function<void()> ended) { attempt_ended_ = std::move(ended); }
    /// It is on its way.
    void test_started(base::MonoTime now) { pace_.started(1, now); }
    /// A success (`alive`) ends a suspension, and a back-off that was not asked for.
    void end_test(const GateReport& report, base::MonoTime now);
    /// Under way here, and an operator's test with them.
    [[nodiscard]] std::uint32_t attempts() const noexcept {
        return gate_.active() + (test_ ? 1U : 0U);
    }
    [[nodiscard]] const std::vector<Running>& running() const noexcept { return running_; }

    [[nodiscard]] bool login_probe_due(base::MonoTime now) const noexcept {
        return gate_.login_probe_due(now);
    }
    void begin_login_probe() noexcept { gate_.begin_login_probe(); }
    /// `error` is empty if the login succeeded. True if the upstream takes mail again.
    bool end_login_probe(const std::string& error, base::MonoTime now);

    /// An operator has signed in there: ends a suspension, as the upstream's own probe would. True
    /// if there was one.
    bool signed_in(base::MonoTime now);

    /// A limit has nothing left for the mail that is next: asked again then, after the end of an
    /// attempt (its permit may have come back), or when ask_again() is called.
    void wait_for(Picker::Wait limit) { limit_wait_ = std::move(limit); }
    void ask_again() noexcept { limit_wait_.reset(); }
    [[nodiscard]] const std::optional<Picker::Wait>& limit_wait() const noexcept {
        return limit_wait_;
    }

    /// When something that is not mail may change the answer of may_start(): the gate's next try,
    /// the pace's next turn, the end of the wait for a limit.
    [[nodiscard]] std::optional<base::MonoTime> next_event(base::MonoTime now, base::WallTime wall);

    [[nodiscard]] Destination& destination() noexcept { return destination_; }
    [[nodiscard]] const UpstreamGate& gate() const noexcept { return gate_; }
    [[nodiscard]] PortIndex index() const noexcept { return index_; }
    /// Takes no mail until resume(), which also ends a suspension. Paused again, it is so since
    /// the first time, for the latest reason.
    void pause(Pause pause);
    void resume(base::MonoTime now);
    [[nodiscard]] const std::optional<Pause>& paused() const noexcept { return paused_; }
    [[nodiscard]] bool active() const noexcept { return active_; }
    [[nodiscard]] std::uint32_t concurrency() const noexcept { return pace_.concurrency(); }
    [[nodiscard]] std::uint32_t most_at_once() const noexcept { return pace_.most_at_once(); }
    /// Recipients a second, where a throttle has slowed it down.
    [[nodiscard]] std::optional<double> speed(base::MonoTime now) { return pace_.per_second(now); }
    /// Recipients a second that go out with as many deliveries at once as may be now, if nothing
    /// else bounds it; nothing before the first.
    [[nodiscard]] std::optional<double> throughput(base::MonoTime now);
    /// The last time that the upstream gave no service, in its words or ours.
    struct Trouble {
        std::string words;
        base::MonoTime at;
    };
    [[nodiscard]] const std::optional<Trouble>& last_trouble() const noexcept {
        return last_trouble_;
    }
    /// What a group goes by.
    [[nodiscard]] MemberState state(base::MonoTime now, base::WallTime wall);

  private:
    void judge(UpstreamGate::State before, UpstreamGate::Change change, const GateReport& report,
               base::MonoTime now);
    void closed(UpstreamGate::State before, const GateReport& report, base::MonoTime now);
    void opened(std::string_view how, base::MonoTime now);
    void note_pace(base::MonoTime now);
    void tell_ended();

    Destination destination_;
    UpstreamGate gate_;
    Pace pace_;
    AttemptSpeed attempt_speed_;
    PortIndex index_;
    bool active_;
    std::optional<Pause> paused_;
    std::optional<Trouble> last_trouble_;
    bool test_ = false;
    std::function<void()> attempt_ended_;
    std::vector<Running> running_;
    /// What one message waits for need not bind one of a higher priority: that has a reserve, or is
    /// smaller.
    bool asks_for_each_;
    bool paced_ = false;           ///< as the log knows it
    std::uint32_t elsewhere_ = 0;  ///< attempts under way of ports before this
    bool same_ = false;            ///< these have its settings
    std::optional<Picker::Wait> limit_wait_;
};

}  // namespace outpost::delivery
