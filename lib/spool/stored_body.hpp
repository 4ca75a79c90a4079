#pragma once

#include <memory>
#include <string>

#include "base/checksum.hpp"
#include "spool/body.hpp"
#include "spool/hot_cache.hpp"
#include "spool/large_store.hpp"
#include "spool/segment_reader.hpp"

/// The bodies that Spool::read gives out.
namespace outpost::spool {

/// A message that never left memory.
class HotBody final : public BodySource {
  public:
    explicit HotBody(std::unique_ptr<HotMessage> message) : message_(std::move(message)) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return message_->content.size(); }
    boost::asio::awaitable<std::expected<std::string_view, std::string>> next() override;
    void rewind() noexcept override { given_ = 0; }

  private:
    std::unique_ptr<HotMessage> message_;
    int given_ = 0;
};

/// A message read from the log, checked as a whole.
class RecordBody final : public BodySource {
  public:
    explicit RecordBody(Record record) : record_(std::move(record)) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return record_.content().size(); }
    boost::asio::awaitable<std::expected<std::string_view, std::string>> next() override;
    void rewind() noexcept override { given_ = false; }

  private:
    Record record_;
    bool given_ = false;
};

/// A large message, read piece by piece. The last piece is held back until the checksum of the
/// whole was found right, so a damaged message is never complete on the wire.
class LargeFileBody final : public BodySource {
  public:
    LargeFileBody(std::shared_ptr<LargeStore> store, net::OffloadPool& pool, base::MessageId id,
                  std::shared_ptr<File> file, LargeReference reference)
        : store_(std::move(store)),
          pool_(pool),
          id_(id),
          file_(std::move(file)),
          reference_(reference) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return reference_.size; }
    boost::asio::awaitable<std::expected<std::string_view, std::string>> next() override;
    void rewind() noexcept override;

  private:
    std::string damaged(const std::string& what);

    std::shared_ptr<LargeStore> store_;
    net::OffloadPool& pool_;
    base::MessageId id_;
    std::shared_ptr<File> file_;
    LargeReference reference_;
    std::uint64_t at_ = 0;
    base::Checksum checksum_;
    std::shared_ptr<std::string> piece_;
};

}  // namespace outpost::spool
