#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "spool/spool.hpp"

namespace outpost::delivery {

/// Brings what was stored from the committer's thread to the dispatcher's executor: one call for
/// all that came meanwhile.
class Inbox : public std::enable_shared_from_this<Inbox> {
  public:
    using Arrived = std::function<void(std::vector<spool::Summary>)>;

    /// `arrived` is called on `executor`, until close().
    Inbox(boost::asio::any_io_executor executor, Arrived arrived)
        : executor_(std::move(executor)), arrived_(std::move(arrived)) {}

    /// From any thread.
    void put(std::span<const spool::Summary> stored);
    /// Somebody else is called from now on. On the executor.
    void redirect(Arrived arrived) { arrived_ = std::move(arrived); }
    /// On the executor.
    void close() { arrived_ = nullptr; }

  private:
    void deliver();

    boost::asio::any_io_executor executor_;
    Arrived arrived_;
    std::mutex mutex_;
    std::vector<spool::Summary> waiting_;
};

}  // namespace outpost::delivery
