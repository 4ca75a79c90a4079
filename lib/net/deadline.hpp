#pragma once

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>

namespace outpost::net {

class DeadlineService;

/// A point in time after which expired() is called, once. Moving it costs a store and a compare:
/// there is one timer an io_context, which looks over its deadlines when the earliest could be due
/// and at most ten times a second; so a deadline fires up to 100 ms late. Used on the
/// io_context's thread only.
class Deadline : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    using Clock = std::chrono::steady_clock;

    explicit Deadline(boost::asio::io_context& context);
    virtual ~Deadline() = default;
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    void expires_after(Clock::duration duration);
    void expires_never() noexcept { at_ = Clock::time_point::max(); }
    [[nodiscard]] Clock::time_point expiry() const noexcept { return at_; }

  private:
    friend class DeadlineService;
    virtual void expired() = 0;

    DeadlineService& service_;
    Clock::time_point at_ = Clock::time_point::max();
};

/// The timer behind all Deadlines of an io_context.
class DeadlineService : public boost::asio::execution_context::service {
  public:
    using key_type = DeadlineService;
    static inline boost::asio::execution_context::id id;

    explicit DeadlineService(boost::asio::execution_context& context);

  private:
    friend class Deadline;
    using Clock = Deadline::Clock;
    using List = boost::intrusive::list<Deadline, boost::intrusive::constant_time_size<false>>;

    void shutdown() override;
    void arm(Clock::time_point at);
    void scan();

    boost::asio::steady_timer timer_;
    Clock::time_point armed_ = Clock::time_point::max();
    Clock::time_point last_scan_{};
    List deadlines_;
};

}  // namespace outpost::net
