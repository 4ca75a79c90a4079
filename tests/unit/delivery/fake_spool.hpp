#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "spool/segment_index.hpp"
#include "spool/spool.hpp"

namespace outpost::delivery::testing {

/// A stored message in memory, given out in two pieces.
class FakeBody final : public spool::BodySource {
  public:
    explicit FakeBody(std::string octets) : octets_(std::move(octets)) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return octets_.size(); }
    boost::asio::awaitable<std::expected<std::string_view, std::string>> next() override {
        const std::size_t begin = at_;
        const std::size_t half = octets_.size() / 2;
        at_ = begin < half ? half : octets_.size();
        co_return std::string_view(octets_).substr(begin, at_ - begin);
    }
    void rewind() noexcept override { at_ = 0; }

  private:
    std::string octets_;
    std::size_t at_ = 0;
};

/// The spool's interface over a map. `journal` keeps the order of what was asked of it.
class FakeSpool final : public spool::Spool {
  public:
    struct Message {
        smtp::Envelope envelope;
        std::string octets;
        spool::MessageState state;
    };

    /// Stores a message as a session would and announces it.
    base::MessageId submit(smtp::Envelope envelope) {
        const base::MessageId id = keep(std::move(envelope));
        announce({id});
        return id;
    }
    /// Stores a message as one that is there at the start.
    base::MessageId keep(smtp::Envelope envelope, spool::MessageState state = {}) {
        const base::MessageId id = next_id();
        if (state.recipients.empty()) {
            state = spool::untried(envelope);
        } else {
            stored_states.insert(id);
        }
        messages[id] = {std::move(envelope), "Subject: test\r\n\r\nHello.\r\n", std::move(state)};
        return id;
    }
    void announce(const std::vector<base::MessageId>& ids) {
        std::vector<spool::Summary> batch;
        for (const base::MessageId id : ids) batch.push_back(summary(id));
        if (callback) callback(batch);
    }
    [[nodiscard]] spool::RecipientState& recipient(base::MessageId id, std::size_t index = 0) {
        return messages.at(id).state.recipients.at(index);
    }
    [[nodiscard]] std::size_t records_of(base::MessageId id) const {
        return static_cast<std::size_t>(std::ranges::count(journal, "record " + id.text()));
    }

    std::vector<spool::Summary> take_recovered() override {
        std::vector<spool::Summary> all;
        for (const auto& [id, message] : messages)
            if (!message.state.finished()) all.push_back(summary(id));
        return all;
    }
    [[nodiscard]] spool::DiskUse disk_use() const override { return {}; }
    [[nodiscard]] const spool::RecoveryReport& recovery() const noexcept override {
        return recovery_;
    }
    [[nodiscard]] base::MessageId next_id() override { return {++last_id_}; }
    boost::asio::awaitable<std::expected<spool::LargeBodyWriter, spool::StoreFailure>> begin_large(
        base::MessageId) override {
        co_return std::unexpected(
            spool::StoreFailure{spool::StoreFailure::Kind::closing, "not part of this double"});
    }
    boost::asio::awaitable<std::expected<void, spool::StoreFailure>> append(
        spool::NewMessage message) override {
        journal.push_back("append " + message.id.text());
        if (append_fails)
            co_return std::unexpected(
                spool::StoreFailure{spool::StoreFailure::Kind::fail_stop, "disk on fire"});
        const auto& content = std::get<spool::Content>(message.body);
        spool::MessageState state = spool::untried(message.envelope);
        messages[message.id] = {std::move(message.envelope),
                                content.head + std::string(content.rest()), std::move(state)};
        appended.push_back(message.id);
        announce({message.id});
        co_return std::expected<void, spool::StoreFailure>();
    }
    void record(base::MessageId id, spool::MessageState state) override {
        journal.push_back("record " + id.text());
        messages.at(id).state = std::move(state);
        stored_states.insert(id);
    }
    boost::asio::awaitable<std::expected<std::optional<spool::MessageState>, spool::ReadFailure>>
    stored_state(base::MessageId id) override {
        if (state_unreadable) co_return std::unexpected(spool::ReadFailure{.reason = "EIO"});
        if (!stored_states.contains(id)) co_return std::nullopt;
        co_return messages.at(id).state;
    }
    boost::asio::awaitable<std::expected<spool::StoredMessage, spool::ReadFailure>> read(
        base::MessageId id) override {
        ++reads;
        if (held_reads_)
            co_await held_reads_->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        if (const auto failure = read_failures.find(id); failure != read_failures.end())
            co_return std::unexpected(failure->second);
        const Message& message = messages.at(id);
        co_return spool::StoredMessage{message.envelope, message.state,
                                       std::make_unique<FakeBody>(message.octets)};
    }
    void on_stored(std::function<void(std::span<const spool::Summary>)> wanted) override {
        callback = std::move(wanted);
    }
    [[nodiscard]] spool::Health health() const override { return {}; }
    void close() override {}

    /// What is read from now on comes when release_reads() is called.
    void hold_reads(const boost::asio::any_io_executor& executor) {
        held_reads_.emplace(executor, boost::asio::steady_timer::time_point::max());
    }
    /// To be run before the next hold_reads().
    void release_reads() { held_reads_->expires_at(boost::asio::steady_timer::time_point::min()); }

    std::map<base::MessageId, Message> messages;
    std::set<base::MessageId> stored_states;
    std::vector<base::MessageId> appended;
    std::vector<std::string> journal;
    std::size_t reads = 0;
    bool append_fails = false;
    bool state_unreadable = false;
    std::map<base::MessageId, spool::ReadFailure> read_failures;
    std::function<void(std::span<const spool::Summary>)> callback;

  private:
    [[nodiscard]] spool::Summary summary(base::MessageId id) const {
        const Message& message = messages.at(id);
        spool::Summary result = spool::summarize(id, message.envelope, message.octets.size());
        spool::apply_state(result, spool::summarize(id, message.state));
        return result;
    }

    std::uint64_t last_id_ = 1'000'000;
    std::optional<boost::asio::steady_timer> held_reads_;
    spool::RecoveryReport recovery_;
};

}  // namespace outpost::delivery::testing
