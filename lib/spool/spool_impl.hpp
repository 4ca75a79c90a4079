#pragma once

#include <memory>
#include <string>
#include <vector>

#include "spool/committer.hpp"
#include "spool/maintenance.hpp"
#include "spool/parts.hpp"
#include "spool/recovery.hpp"

/// The Spool of spool.hpp: encodes and hands over on the caller's thread, reads back, and puts the
/// parts together.
namespace outpost::spool {

class SpoolImpl final : public Spool {
  public:
    SpoolImpl(const Options& options, FileSystem& files, const base::Clock& clock,
              net::OffloadPool& readers, const Tuning& tuning = {});
    ~SpoolImpl() override { close(); }

    /// Call once, first.
    std::expected<void, std::string> start();

    std::vector<Summary> take_recovered() override { return std::move(recovered_); }
    [[nodiscard]] const RecoveryReport& recovery() const noexcept override { return report_; }
    [[nodiscard]] base::MessageId next_id() override;
    boost::asio::awaitable<std::expected<LargeBodyWriter, StoreFailure>> begin_large(
        base::MessageId id) override;
    boost::asio::awaitable<std::expected<void, StoreFailure>> append(NewMessage message) override;
    void record(base::MessageId id, MessageState state) override;
    boost::asio::awaitable<std::expected<StoredMessage, ReadFailure>> read(
        base::MessageId id) override;
    boost::asio::awaitable<std::expected<std::optional<MessageState>, ReadFailure>> stored_state(
        base::MessageId id) override;
    boost::asio::awaitable<std::vector<std::optional<smtp::Envelope>>> read_envelopes(
        std::vector<base::MessageId> ids) override;
    void on_stored(std::function<void(std::span<const Summary>)> callback) override;
    [[nodiscard]] Health health() const override { return parts_->gate->health(); }
    [[nodiscard]] DiskUse disk_use() const override;
    void close() override;

  private:
    using RecordResult = std::expected<Record, ReadFailure>;

    boost::asio::awaitable<std::expected<void, StoreFailure>> commit(
        std::unique_ptr<OutgoingMessage> message);
    boost::asio::awaitable<RecordResult> fetch(base::MessageId id, Location where);
    boost::asio::awaitable<RecordResult> fetch_message(base::MessageId id);
    boost::asio::awaitable<MessageState> current_state(base::MessageId id,
                                                       const smtp::Envelope& envelope);
    boost::asio::awaitable<std::expected<StoredMessage, ReadFailure>> open_stored(
        base::MessageId id, Record record);
    boost::asio::awaitable<std::expected<std::unique_ptr<BodySource>, ReadFailure>> open_large(
        base::MessageId id, LargeReference reference);
    /// Copies the message to the damaged ones and lets it go; adds to `reason` where it went.
    boost::asio::awaitable<ReadFailure> set_message_aside(base::MessageId id, ReadFailure why);

    // Shared with off-loaded work, which may outlast its caller.
    const std::shared_ptr<Parts> parts_;
    std::unique_ptr<FileLock> lock_;
    base::MessageIdSource ids_;
    std::vector<Summary> recovered_;
    RecoveryReport report_;
    std::unique_ptr<Maintenance> maintenance_;
    std::unique_ptr<Committer> committer_;
};

}  // namespace outpost::spool
