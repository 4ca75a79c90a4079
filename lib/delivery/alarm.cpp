#include "delivery/alarm.hpp"

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <utility>

namespace outpost::delivery {
namespace {

class SteadyAlarm final : public Alarm {
  public:
    explicit SteadyAlarm(const boost::asio::any_io_executor& executor) : timer_(executor) {}
    ~SteadyAlarm() override { clear(); }

    void set(std::chrono::milliseconds after, std::function<void()> ring) override {
        // A handler that is already on its way cannot be cancelled; it finds that it is too late.
        const std::uint64_t mine = ++*turn_;
        timer_.expires_after(after);
        timer_.async_wait(
            [turn = turn_, mine, call = std::move(ring)](const boost::system::error_code& error) {
                if (!error && *turn == mine) call();
            });
    }
    void clear() override {
        ++*turn_;
        timer_.cancel();
    }

  private:
    std::shared_ptr<std::uint64_t> turn_ = std::make_shared<std::uint64_t>(0);
    boost::asio::steady_timer timer_;
};

}  // namespace

std::unique_ptr<Alarm> make_alarm(const boost::asio::any_io_executor& executor) {
    return std::make_unique<SteadyAlarm>(executor);
}

}  // namespace outpost::delivery
