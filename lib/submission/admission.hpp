#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "config/network.hpp"

namespace outpost::submission {

/// Counts open connections, altogether and per client address. Thread-safe and cheap; lives as
/// long as the last ticket.
class Admission : public std::enable_shared_from_this<Admission> {
  public:
    struct Limits {
        std::uint32_t connections = 10000;
        std::uint32_t per_address = 200;
    };

    /// Holds a connection's place until it is destroyed.
    class Ticket {
      public:
        Ticket() = default;
        Ticket(Ticket&& other) noexcept
            : owner_(std::move(other.owner_)), client_(std::exchange(other.client_, {})) {}
        Ticket& operator=(Ticket&& other) noexcept;
        ~Ticket() { release(); }

        /// Counts the connection for its address as well, once that is known; false if the
        /// address has too many.
        [[nodiscard]] bool claim(const config::IpAddress& client);

      private:
        friend class Admission;
        explicit Ticket(std::shared_ptr<Admission> owner) : owner_(std::move(owner)) {}
        void release() noexcept;

        std::shared_ptr<Admission> owner_;
        std::optional<config::IpAddress> client_;
    };

    [[nodiscard]] static std::shared_ptr<Admission> make(const Limits& limits) {
        return std::make_shared<Admission>(limits);
    }
    explicit Admission(const Limits& limits) { set_limits(limits); }
    /// For the connections to come.
    void set_limits(const Limits& limits) noexcept {
        most_ = limits.connections;
        most_per_address_ = limits.per_address;
    }

    /// A place among all connections; nothing if there are too many.
    [[nodiscard]] std::optional<Ticket> admit();
    [[nodiscard]] std::uint32_t connections() const noexcept {
        return connections_.load(std::memory_order_relaxed);
    }

  private:
    /// Part of the addresses, so that threads seldom meet at one lock.
    struct Shard {
        std::mutex mutex;
        std::unordered_map<config::IpAddress, std::uint32_t> counts;
    };
    [[nodiscard]] Shard& shard(const config::IpAddress& client) noexcept;

    std::atomic<std::uint32_t> most_{0};
    std::atomic<std::uint32_t> most_per_address_{0};
    std::atomic<std::uint32_t> connections_{0};
    std::array<Shard, 16> shards_;
};

}  // namespace outpost::submission
