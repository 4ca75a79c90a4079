#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

/// Large messages have a file of their own, `large/<ID>.eml`, and only a reference in the log. The
/// session fills the file piece by piece; Spool::append syncs it and commits the reference.
namespace outpost::spool {

struct StoreFailure;
struct LargeFile;

/// A filled file that no record speaks of yet. Destroyed before Spool::append stored it, the file
/// goes away.
class LargeBody {
  public:
    explicit LargeBody(std::shared_ptr<LargeFile> file) noexcept;
    LargeBody(LargeBody&&) noexcept = default;
    LargeBody& operator=(LargeBody&&) noexcept = default;
    ~LargeBody();

    /// Octets of the whole message, header section included.
    [[nodiscard]] std::uint64_t size() const noexcept;
    [[nodiscard]] const std::shared_ptr<LargeFile>& file() const noexcept { return file_; }

  private:
    std::shared_ptr<LargeFile> file_;
};

/// Fills the file of a large message front to back. Used by one coroutine at a time. Destroyed
/// without finish(), the file goes away.
class LargeBodyWriter {
  public:
    explicit LargeBodyWriter(std::shared_ptr<LargeFile> file) noexcept;
    LargeBodyWriter(LargeBodyWriter&&) noexcept = default;
    LargeBodyWriter& operator=(LargeBodyWriter&&) noexcept = default;
    ~LargeBodyWriter();

    /// Appends a piece, off the caller's thread; pieces of 64 KB and more are worth their trip.
    /// After a failure the writer is good for nothing but destruction.
    boost::asio::awaitable<std::expected<void, StoreFailure>> write(std::string piece);
    /// Octets written so far.
    [[nodiscard]] std::uint64_t size() const noexcept;
    /// Call once, after the last piece, and hand the result to Spool::append.
    [[nodiscard]] LargeBody finish() &&;

  private:
    std::shared_ptr<LargeFile> file_;
};

}  // namespace outpost::spool
