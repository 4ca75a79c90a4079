#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "spool/damage.hpp"
#include "spool/patient_offload.hpp"
#include "spool/spool_impl.hpp"
#include "spool/stored_body.hpp"

namespace outpost::spool {

namespace asio = boost::asio;

asio::awaitable<std::expected<StoredMessage, ReadFailure>> SpoolImpl::read(base::MessageId id) {
    if (auto hot = parts_->cache.take(id)) {
        StoredMessage message;
        message.envelope = std::move(hot->envelope);
        message.body = std::make_unique<HotBody>(std::move(hot));
        message.state = co_await current_state(id, message.envelope);
        co_return message;
    }
    RecordResult record = co_await fetch_message(id);
    if (!record && record.error().damaged && parts_->catalog.contains(id))
        co_return std::unexpected(co_await set_message_aside(id, std::move(record.error())));
    if (!record) co_return std::unexpected(std::move(record.error()));
    co_return co_await open_stored(id, std::move(*record));
}

asio::awaitable<std::vector<std::optional<smtp::Envelope>>> SpoolImpl::read_envelopes(
    std::vector<base::MessageId> ids) {
    auto work = [parts = parts_, ids = std::move(ids)] {
        std::vector<std::optional<smtp::Envelope>> envelopes(ids.size());
        std::vector<std::pair<Location, std::size_t>> on_disk;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            envelopes[i] = parts->cache.envelope(ids[i]);
            if (envelopes[i]) continue;
            if (const auto where = parts->catalog.find(ids[i])) on_disk.emplace_back(*where, i);
        }
        std::ranges::sort(on_disk, {}, [](const auto& one) {
            return std::pair(one.first.segment, one.first.offset);
        });
        for (const auto& [where, index] : on_disk)
            if (const auto file = parts->segments.get(where.segment))
                envelopes[index] = read_envelope(**file, where, ids[index]);
        return envelopes;
    };
    co_return co_await offload_patiently(parts_->readers, std::move(work));
}

asio::awaitable<SpoolImpl::RecordResult> SpoolImpl::fetch_message(base::MessageId id) {
    for (;;) {
        const auto where = parts_->catalog.find(id);
        if (!where)
            co_return std::unexpected(
                ReadFailure{true, fmt::format("{} is not in the spool", id.text())});
        RecordResult record = co_await fetch(id, *where);
        // Compaction may have moved the message and removed the segment meanwhile.
        if (record || parts_->catalog.find(id) == where) co_return record;
    }
}

asio::awaitable<SpoolImpl::RecordResult> SpoolImpl::fetch(base::MessageId id, Location where) {
    if (const auto file = parts_->segments.find(where.segment)) {
        std::string octets;
        octets.resize_and_overwrite(where.length, [](char*, std::size_t size) { return size; });
        if (file->read_cached_at(where.offset, octets))
            co_return verify_record(std::move(octets), where, id);
    }
    auto work = [parts = parts_, where, id]() -> RecordResult {
        const auto file = parts->segments.get(where.segment);
        if (!file) return std::unexpected(ReadFailure{false, file.error().text});
        return read_record(**file, where, id);
    };
    co_return co_await offload_patiently(parts_->readers, std::move(work));
}

asio::awaitable<std::expected<std::optional<MessageState>, ReadFailure>> SpoolImpl::stored_state(
    base::MessageId id) {
    if (const auto unsaved = parts_->inbox.find_state(id))
        co_return decode_state(unsaved->metadata);
    for (auto where = parts_->catalog.find_state(id); where;) {
        RecordResult record = co_await fetch(id, *where);
        if (record) co_return decode_state(record->metadata());
        const auto now = parts_->catalog.find_state(id);
        if (!now || now == where) co_return std::unexpected(std::move(record.error()));
        where = now;  // compaction has moved it meanwhile, or a newer one was stored
    }
    co_return std::nullopt;
}

asio::awaitable<MessageState> SpoolImpl::current_state(base::MessageId id,
                                                       const smtp::Envelope& envelope) {
    auto stored = co_await stored_state(id);
    if (!stored)
        base::log::error("spool: where a message stood cannot be read; it is tried anew",
                         {{"id", id.text()}, {"reason", stored.error().reason}});
    auto state = stored ? std::move(*stored) : std::nullopt;
    if (!state || state->recipients.size() != envelope.recipients.size())
        co_return untried(envelope);
    co_return std::move(*state);
}

asio::awaitable<std::expected<StoredMessage, ReadFailure>> SpoolImpl::open_stored(
    base::MessageId id, Record record) {
    std::optional<LargeReference> large;
    auto envelope = decode_envelope(record.metadata(), large);
    if (!envelope) {
        ReadFailure why{true, fmt::format("the envelope of {} cannot be decoded", id.text())};
        co_return std::unexpected(co_await set_message_aside(id, std::move(why)));
    }
    StoredMessage message;
    message.envelope = std::move(*envelope);
    message.state = co_await current_state(id, message.envelope);
    if (large) {
        auto body = co_await open_large(id, *large);
        if (!body) co_return std::unexpected(std::move(body.error()));
        message.body = std::move(*body);
    } else {
        message.body = std::make_unique<RecordBody>(std::move(record));
    }
    co_return message;
}

asio::awaitable<std::expected<std::unique_ptr<BodySource>, ReadFailure>> SpoolImpl::open_large(
    base::MessageId id, LargeReference reference) {
    using Opened = std::expected<std::shared_ptr<File>, ReadFailure>;
    auto work = [parts = parts_, id, reference]() -> Opened {
        if (auto known = parts->large->damage_of(id))
            return std::unexpected(ReadFailure{true, std::move(*known)});
        auto file = parts->files.open(parts->large->path(id), OpenMode::read);
        if (!file)
            return std::unexpected(ReadFailure{file.error().code == ENOENT, file.error().text});
        const auto size = (*file)->size();
        if (!size) return std::unexpected(ReadFailure{false, size.error().text});
        if (*size != reference.size)
            return std::unexpected(ReadFailure{
                true, fmt::format("{} has {} octets, not {}", parts->large->path(id).string(),
                                  *size, reference.size)});
        return std::shared_ptr<File>(std::move(*file));
    };
    Opened file = co_await offload_patiently(parts_->readers, std::move(work));
    if (!file && file.error().damaged)
        co_return std::unexpected(co_await set_message_aside(id, std::move(file.error())));
    if (!file) co_return std::unexpected(std::move(file.error()));
    co_return std::make_unique<LargeFileBody>(parts_->large, parts_->readers, id, std::move(*file),
                                              reference);
}

asio::awaitable<ReadFailure> SpoolImpl::set_message_aside(base::MessageId id, ReadFailure why) {
    const auto where = parts_->catalog.find(id);
    if (!where) co_return why;
    const std::string name = id.text() + ".rec";
    auto work = [parts = parts_, where = *where, id, name, reason = why.reason]() {
        const auto large = parts->large->path(id);
        (void)parts->files.rename(large, parts->paths.damaged / large.filename());
        auto file = parts->segments.get(where.segment);
        if (!file) return IoResult<void>(std::unexpected(file.error()));
        const std::string note =
            fmt::format("message {}, segment {:08}, octets {} to {}: {}", id.text(), where.segment,
                        where.offset, where.offset + where.length, reason);
        return set_aside(parts->files, parts->paths, name, **file, where.offset,
                         std::uint64_t{where.offset} + where.length, note);
    };
    const IoResult<void> done = co_await offload_patiently(parts_->readers, std::move(work));
    why.reason += done ? fmt::format("; set aside in {}", (parts_->paths.damaged / name).string())
                       : fmt::format("; cannot be set aside: {}", done.error().text);
    base::log::error("spool: a stored message is damaged and cannot be sent",
                     {{"id", id.text()}, {"reason", why.reason}});
    // With a copy made, the record has served; without, it stays in the log for the next start.
    if (done && parts_->catalog.finish(id))
        parts_->inbox.put_state(id, {.done = true, .metadata = {}, .change = {}});
    co_return why;
}

}  // namespace outpost::spool
