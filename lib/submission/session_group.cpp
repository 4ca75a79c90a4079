#include "submission/session_group.hpp"

#include "net/spawn.hpp"

namespace outpost::submission {

namespace asio = boost::asio;

namespace {

/// Counted for as long as the coroutine's frame lives, however it ends.
class Counted {
  public:
    explicit Counted(std::shared_ptr<Census> census) : census_(std::move(census)) {
        census_->enter();
    }
    Counted(Counted&&) noexcept = default;
    Counted& operator=(Counted&&) = delete;
    ~Counted() {
        if (census_) census_->leave();
    }

  private:
    std::shared_ptr<Census> census_;
};

asio::awaitable<void> drive([[maybe_unused]] Counted counted, std::unique_ptr<Session> session) {
    co_await session->run();
}

}  // namespace

void Census::leave() {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard lock(mutex_);
    none_left_.notify_all();
}

bool Census::wait_for_none(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return none_left_.wait_for(lock, limit, [this] { return count() == 0; });
}

void SessionGroup::start(asio::ip::tcp::socket socket,
                         std::shared_ptr<const ListenerRules> listener) {
    auto session = std::make_unique<Session>(Session::Environment{terms_, std::move(listener)},
                                             context_, std::move(socket));
    sessions_.push_back(*session);
    if (stopping_) session->stop();
    net::spawn(context_.get_executor(), drive(Counted(census_), std::move(session)), "session");
}

void SessionGroup::stop() {
    stopping_ = true;
    for (Session& session : sessions_) session.stop();
}

void SessionGroup::stop_now() {
    stopping_ = true;
    for (Session& session : sessions_) session.stop_now();
}

void SessionGroup::accounts_changed() {
    for (Session& session : sessions_) session.accounts_changed();
}

}  // namespace outpost::submission
