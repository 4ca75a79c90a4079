#include "net/deadline.hpp"

#include <algorithm>

namespace outpost::net {

namespace {

constexpr std::chrono::milliseconds least_interval{100};

}  // namespace

Deadline::Deadline(boost::asio::io_context& context)
    : service_(boost::asio::use_service<DeadlineService>(context)) {}

void Deadline::expires_after(Clock::duration duration) {
    at_ = Clock::now() + duration;
    if (!is_linked()) service_.deadlines_.push_back(*this);
    if (at_ < service_.armed_) service_.arm(at_);
}

DeadlineService::DeadlineService(boost::asio::execution_context& context)
    : service(context), timer_(static_cast<boost::asio::io_context&>(context)) {}

void DeadlineService::shutdown() {
    deadlines_.clear();
}

void DeadlineService::arm(Clock::time_point at) {
    at = std::max(at, last_scan_ + least_interval);
    if (at >= armed_) return;
    armed_ = at;
    timer_.expires_at(at);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) scan();
    });
}

void DeadlineService::scan() {
    last_scan_ = Clock::now();
    armed_ = Clock::time_point::max();
    auto earliest = Clock::time_point::max();
    for (auto it = deadlines_.begin(); it != deadlines_.end();) {
        Deadline& deadline = *it++;
        if (deadline.at_ <= last_scan_) {
            deadline.expires_never();
            deadline.expired();
        } else {
            earliest = std::min(earliest, deadline.at_);
        }
    }
    if (earliest != Clock::time_point::max()) arm(earliest);
}

}  // namespace outpost::net
