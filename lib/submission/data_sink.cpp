#include "submission/data_sink.hpp"

#include <algorithm>

#include "account/sender_policy.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "message/header_reader.hpp"
#include "message/policy_header.hpp"
#include "message/priority.hpp"
#include "submission/wording.hpp"

namespace outpost::submission {

namespace {

/// Header sections seldom exceed this; a look earlier than at the end of the message that finds
/// none whole is repeated when twice as much has come.
constexpr std::size_t first_look = 64 << 10;
/// What is worth a trip to the disk.
constexpr std::size_t piece = 256 << 10;
/// No more memory than this on a client's word alone.
constexpr std::uint64_t most_reserved = 64 << 10;

}  // namespace

DataSink::DataSink(const Facts& facts, std::uint64_t expected_size)
    : facts_(facts),
      next_drain_(std::min<std::uint64_t>(first_look, facts.large_message)),
      priority_(facts.account.priority) {
    buffer_.reserve(std::min(expected_size, most_reserved));
}

void DataSink::refuse(counts::Refused why, std::string_view reply) {
    if (refused()) return;
    counts::refused(why);
    refusal_ = reply;
    buffer_.clear();
    writer_.reset();
}

DataSink::awaitable<void> DataSink::drain() {
    if (refused()) {
        buffer_.clear();
        co_return;
    }
    if (!inspected_) inspect(false);
    if (refused()) co_return;
    if (inspected_) {
        next_drain_ = piece;
        if (writer_ || head_.size() + buffer_.size() - data_offset_ >= facts_.large_message) {
            co_await spill();
        } else {
            next_drain_ = std::max<std::size_t>(facts_.large_message, buffer_.size() + 1);
        }
    } else {
        next_drain_ = 2 * buffer_.size();
    }
}

void DataSink::inspect(bool complete) {
    const auto header = message::read_header(buffer_);
    if (!header.ended && !complete && !header.problem) return;
    inspected_ = true;
    judge(header);
    if (!refused()) fix(header);
}

void DataSink::judge(const message::HeaderSection& header) {
    if (header.problem)
        return refuse(counts::Refused::header, wording::bad_header(header.problem->text));
    if (header.count(message::FieldKind::received) > message::max_received_fields)
        return refuse(counts::Refused::mail_loop, wording::mail_loop);
    const auto verdict = account::check_header(facts_.account, message::policy_header(header));
    if (const auto* refusal = std::get_if<account::Refuse>(&verdict)) {
        std::string reply = refusal->reply.wire();
        reply.resize(reply.size() - 2);
        refuse(counts::Refused::sender, reply);
    }
}

void DataSink::fix(const message::HeaderSection& header) {
    priority_ = message::effective_priority(
        {.priority = facts_.account.priority, .cap = facts_.account.priority_cap},
        facts_.mt_priority, message::priority_from_header(header));
    std::string word;
    if (header.count(message::FieldKind::message_id) == 0) word = base::random_word();
    facts_.trace.random = word;
    auto fixed = message::fix_up(buffer_, header, facts_.trace);
    facts_.trace.random = {};
    head_ = std::move(fixed.head);
    data_offset_ = fixed.data_offset;
}

DataSink::awaitable<void> DataSink::spill() {
    std::string octets;
    if (!writer_) {
        auto opened = co_await facts_.spool.begin_large(facts_.trace.id);
        if (!opened) co_return store_failed(opened.error());
        writer_.emplace(std::move(*opened));
        octets.reserve(head_.size() + buffer_.size() - data_offset_);
        octets += head_;
        octets += std::string_view(buffer_).substr(data_offset_);
        buffer_.clear();
    } else {
        octets.swap(buffer_);
        buffer_.reserve(octets.size());
    }
    auto written = co_await writer_->write(std::move(octets));
    if (!written) store_failed(written.error());
}

void DataSink::store_failed(const spool::StoreFailure& failure) {
    base::log::warning("message not stored",
                       {{"id", facts_.trace.id.text()}, {"reason", failure.reason}});
    refuse(counts::Refused::storage, wording::cannot_store);
}

DataSink::awaitable<std::expected<DataSink::Body, std::string>> DataSink::finish() {
    if (!refused() && !inspected_) inspect(true);
    if (refused()) co_return std::unexpected(refusal_);
    const auto size = head_.size() + buffer_.size() - data_offset_;
    if (!writer_ && size < facts_.large_message)
        co_return Body(spool::Content{
            .head = std::move(head_), .data = std::move(buffer_), .data_offset = data_offset_});
    if (!writer_ || !buffer_.empty()) co_await spill();
    if (!writer_) co_return std::unexpected(refusal_);
    co_return Body(std::move(*writer_).finish());
}

}  // namespace outpost::submission
