#include "spool/spool_impl.hpp"

#include <fmt/format.h>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/checksum.hpp"
#include "base/log.hpp"

namespace outpost::spool {

namespace asio = boost::asio;

namespace {

std::uint64_t checksum_of(const Content& content) {
    thread_local base::Checksum sum;
    sum.reset();
    sum.update(content.head);
    sum.update(content.rest());
    return sum.digest();
}

std::unique_ptr<OutgoingMessage> prepare(NewMessage message) {
    auto out = std::make_unique<OutgoingMessage>();
    RecordHeader& header = out->header;
    header.id = message.id;
    if (auto* large = std::get_if<LargeBody>(&message.body)) {
        out->large = large->file();
        header.type = RecordType::large_message;
        header.content_checksum = base::checksum({});
        out->metadata =
            encode(message.envelope, LargeReference{large->size(), out->large->checksum.digest()});
        out->summary = summarize(message.id, message.envelope, large->size());
    } else {
        auto& content = std::get<Content>(message.body);
        header.type = RecordType::message;
        header.content_length = static_cast<std::uint32_t>(content.size());
        header.content_checksum = checksum_of(content);
        out->metadata = encode(message.envelope);
        out->summary = summarize(message.id, message.envelope, content.size());
        out->message = std::make_unique<HotMessage>(
            HotMessage{std::move(message.envelope), std::move(content)});
    }
    header.metadata_length = static_cast<std::uint32_t>(out->metadata.size());
    header.metadata_checksum = base::checksum(out->metadata);
    return out;
}

}  // namespace

std::expected<std::unique_ptr<Spool>, std::string> Spool::open(Options options, FileSystem& files,
                                                               const base::Clock& clock,
                                                               net::OffloadPool& readers) {
    auto spool = std::make_unique<SpoolImpl>(options, files, clock, readers);
    if (auto started = spool->start(); !started) return std::unexpected(started.error());
    return spool;
}

SpoolImpl::SpoolImpl(const Options& options, FileSystem& files, const base::Clock& clock,
                     net::OffloadPool& readers, const Tuning& tuning)
    : parts_(std::make_shared<Parts>(options, files, clock, readers, tuning)) {}

std::expected<void, std::string> SpoolImpl::start() {
    const Paths& paths = parts_->paths;
    for (const auto& directory : {paths.root, paths.segments, paths.large, paths.damaged})
        if (auto made = parts_->files.create_directories(directory); !made)
            return std::unexpected(made.error().text);
    auto lock = parts_->files.lock(paths.lock);
    if (!lock)
        return std::unexpected(
            fmt::format("the spool is in use: {}; stop that process first, or set another data_dir",
                        lock.error().text));
    lock_ = std::move(*lock);
    auto recovered = recover(*parts_);
    if (!recovered) return std::unexpected(recovered.error());
    ids_.skip_past(recovered->last_id);
    recovered_ = std::move(recovered->messages);
    report_ = std::move(recovered->report);
    maintenance_ = std::make_unique<Maintenance>(*parts_);
    committer_ = std::make_unique<Committer>(*parts_, *maintenance_, recovered->next_segment);
    if (auto& open = recovered->open) {
        auto writer = SegmentWriter::resume(parts_->files, paths.segments, std::move(*open));
        if (!writer) return std::unexpected(writer.error().text);
        committer_->resume(std::move(*writer));
    }
    parts_->space->check();
    maintenance_->start();
    committer_->start();
    return {};
}

base::MessageId SpoolImpl::next_id() {
    return ids_.next(parts_->clock.wall());
}

asio::awaitable<std::expected<LargeBodyWriter, StoreFailure>> SpoolImpl::begin_large(
    base::MessageId id) {
    if (!parts_->gate->open()) co_return std::unexpected(parts_->gate->failure());
    co_return co_await parts_->large->begin(id);
}

asio::awaitable<std::expected<void, StoreFailure>> SpoolImpl::append(NewMessage message) {
    if (!parts_->gate->open()) co_return std::unexpected(parts_->gate->failure());
    auto outgoing = prepare(std::move(message));
    if (outgoing->octets() > max_record_size)
        co_return std::unexpected(StoreFailure{StoreFailure::Kind::no_space,
                                               "a message over 1 GB needs a file of its own"});
    if (outgoing->large) {
        auto durable = co_await parts_->large->make_durable(outgoing->large);
        if (!durable) co_return std::unexpected(std::move(durable.error()));
    }
    co_return co_await commit(std::move(outgoing));
}

asio::awaitable<std::expected<void, StoreFailure>> SpoolImpl::commit(
    std::unique_ptr<OutgoingMessage> message) {
    using Result = std::expected<void, StoreFailure>;
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Result)>(
        [parts = parts_](auto handler, std::unique_ptr<OutgoingMessage> outgoing) {
            asio::any_io_executor executor = asio::prefer(
                asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked);
            outgoing->waiter.executor = std::move(executor);
            outgoing->waiter.resume = [handler = std::move(handler)](Result result) mutable {
                std::move(handler)(std::move(result));
            };
            if (parts->inbox.put_message(outgoing)) return;
            std::vector<Waiter> waiters;
            waiters.push_back(std::move(outgoing->waiter));
            resume_all(std::move(waiters), std::unexpected(parts->gate->failure()));
        },
        asio::use_awaitable, std::move(message));
}

void SpoolImpl::record(base::MessageId id, MessageState state) {
    if (state.finished()) {
        if (!parts_->catalog.finish(id)) return;
        (void)parts_->cache.take(id);
        parts_->inbox.put_state(id, {.done = true, .metadata = {}, .change = {}});
    } else if (parts_->catalog.contains(id)) {
        parts_->inbox.put_state(
            id, {.done = false, .metadata = encode(state), .change = summarize(id, state)});
    }
}

DiskUse SpoolImpl::disk_use() const {
    DiskUse use = parts_->catalog.use();
    use.free_octets = parts_->space->free();
    return use;
}

void SpoolImpl::on_stored(std::function<void(std::span<const Summary>)> callback) {
    committer_->on_stored(std::move(callback));
}

void SpoolImpl::close() {
    if (!lock_) return;
    parts_->gate->close();
    parts_->inbox.close();
    if (committer_) committer_->stop();
    if (maintenance_) maintenance_->stop();
    lock_.reset();
}

}  // namespace outpost::spool
