#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "account/account.hpp"
#include "message/trace_headers.hpp"
#include "smtp/reply.hpp"
#include "spool/spool.hpp"
#include "submission/counts.hpp"

namespace outpost::submission {

/// Where the decoded octets of one message go. The header section is judged and fixed up once it is
/// whole; a small message stays in memory, a large one goes to a file of its own piece by piece.
/// After a refusal the octets that still come are dropped. Used by the session's coroutine alone.
class DataSink {
  public:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;
    using Body = std::variant<spool::Content, spool::LargeBody>;

    /// All that is referred to outlives the sink.
    struct Facts {
        const account::Account& account;
        message::TraceFacts trace;
        std::optional<std::int8_t> mt_priority;
        std::uint64_t large_message = 256ULL << 10;
        spool::Spool& spool;
    };
    /// `expected_size`: what the client announced, 0 if nothing.
    DataSink(const Facts& facts, std::uint64_t expected_size);

    /// The decoder appends to this; between calls it may have become empty.
    [[nodiscard]] std::string& buffer() noexcept { return buffer_; }
    /// Enough has come together that drain() should be called.
    [[nodiscard]] bool wants_drain() const noexcept {
        return buffer_.size() >= next_drain_ || (refused() && !buffer_.empty());
    }
    awaitable<void> drain();

    /// The message will not be taken; the first refusal stays. A reply without its last CRLF.
    void refuse(counts::Refused why, std::string_view reply);
    [[nodiscard]] bool refused() const noexcept { return !refusal_.empty(); }
    [[nodiscard]] const std::string& refusal() const noexcept { return refusal_; }

    /// All octets have come. The error is the reply, without its last CRLF.
    awaitable<std::expected<Body, std::string>> finish();
    /// The effective priority; known once finished.
    [[nodiscard]] std::uint8_t priority() const noexcept { return priority_; }

  private:
    void inspect(bool complete);
    void judge(const message::HeaderSection& header);
    void fix(const message::HeaderSection& header);
    awaitable<void> spill();
    void store_failed(const spool::StoreFailure& failure);

    Facts facts_;
    std::string buffer_;
    std::string head_;
    std::size_t data_offset_ = 0;
    std::size_t next_drain_;
    bool inspected_ = false;
    std::uint8_t priority_ = 3;
    std::string refusal_;
    std::optional<spool::LargeBodyWriter> writer_;
};

}  // namespace outpost::submission
