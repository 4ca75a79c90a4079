#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spool/spool.hpp"

namespace outpost::test {

/// A spool that keeps small messages in memory, and fails when told to.
class FakeSpool final : public spool::Spool {
  public:
    struct Stored {
        base::MessageId id;
        smtp::Envelope envelope;
        std::string content;
    };

    void fail_with(std::optional<spool::StoreFailure> failure) {
        const std::lock_guard lock(mutex_);
        failure_ = std::move(failure);
    }
    void set_health(spool::Health health) {
        const std::lock_guard lock(mutex_);
        health_ = std::move(health);
    }
    /// Called in the middle of each append.
    void while_appending(std::function<void()> action) {
        const std::lock_guard lock(mutex_);
        while_appending_ = std::move(action);
    }
    [[nodiscard]] std::vector<Stored> stored() const {
        const std::lock_guard lock(mutex_);
        return stored_;
    }

    std::vector<spool::Summary> take_recovered() override { return {}; }
    const spool::RecoveryReport& recovery() const noexcept override { return report_; }
    base::MessageId next_id() override {
        const std::lock_guard lock(mutex_);
        return {++last_id_};
    }
    boost::asio::awaitable<std::expected<spool::LargeBodyWriter, spool::StoreFailure>> begin_large(
        base::MessageId) override {
        co_return std::unexpected(
            spool::StoreFailure{spool::StoreFailure::Kind::no_space, "no large files here"});
    }
    boost::asio::awaitable<std::expected<void, spool::StoreFailure>> append(
        spool::NewMessage message) override {
        if (const auto action = appending()) action();
        co_return keep(std::move(message));
    }
    void record(base::MessageId, spool::MessageState) override {}
    boost::asio::awaitable<std::expected<spool::StoredMessage, spool::ReadFailure>> read(
        base::MessageId) override {
        co_return std::unexpected(spool::ReadFailure{});
    }
    boost::asio::awaitable<std::expected<std::optional<spool::MessageState>, spool::ReadFailure>>
    stored_state(base::MessageId) override {
        co_return std::nullopt;
    }
    boost::asio::awaitable<std::vector<std::optional<smtp::Envelope>>> read_envelopes(
        std::vector<base::MessageId> ids) override {
        co_return std::vector<std::optional<smtp::Envelope>>(ids.size());
    }
    void on_stored(std::function<void(std::span<const spool::Summary>)>) override {}
    spool::Health health() const override {
        const std::lock_guard lock(mutex_);
        return health_;
    }
    spool::DiskUse disk_use() const override { return {}; }
    void close() override {}

  private:
    std::function<void()> appending() const {
        const std::lock_guard lock(mutex_);
        return while_appending_;
    }
    std::expected<void, spool::StoreFailure> keep(spool::NewMessage message) {
        const std::lock_guard lock(mutex_);
        if (failure_) return std::unexpected(*failure_);
        const auto& content = std::get<spool::Content>(message.body);
        stored_.push_back(
            {message.id, std::move(message.envelope), content.head + std::string(content.rest())});
        return {};
    }

    mutable std::mutex mutex_;
    spool::RecoveryReport report_;
    spool::Health health_;
    std::optional<spool::StoreFailure> failure_;
    std::function<void()> while_appending_;
    std::vector<Stored> stored_;
    std::uint64_t last_id_ = 0;
};

}  // namespace outpost::test
