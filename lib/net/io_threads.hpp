#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace outpost::net {

/// A fixed set of threads, each with an io_context of its own, so that what is started on one
/// stays on it and needs no locks. Threads run from construction until stop().
class IoThreads {
  public:
    /// `name`: what the threads are called in ps and top, at most 12 characters.
    IoThreads(std::size_t count, const std::string& name);
    ~IoThreads();
    IoThreads(const IoThreads&) = delete;
    IoThreads& operator=(const IoThreads&) = delete;

    [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }
    [[nodiscard]] boost::asio::io_context& operator[](std::size_t i) noexcept {
        return slots_[i]->context;
    }
    /// Drops what is still pending and joins the threads. Not to be called from one of them.
    void stop();

  private:
    struct Slot {
        boost::asio::io_context context{1};
        boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{
            context.get_executor()};
        std::thread thread;
    };
    std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace outpost::net
