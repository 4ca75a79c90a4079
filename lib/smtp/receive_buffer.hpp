#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace outpost::smtp {

/// What has arrived from a peer and is not used up yet. Lines, message data and BDAT chunks are
/// all taken from the front of the one buffer, so that pipelined octets are never lost or copied.
/// Views of its contents hold until the next prepare() or release().
class ReceiveBuffer {
  public:
    ReceiveBuffer() = default;
    ReceiveBuffer(ReceiveBuffer&& other) noexcept { *this = std::move(other); }
    ReceiveBuffer& operator=(ReceiveBuffer&& other) noexcept;

    /// Free room behind the contents, at least `at_least` octets, to read into.
    [[nodiscard]] std::span<char> prepare(std::size_t at_least);
    /// `count` octets of the room are now contents.
    void commit(std::size_t count) noexcept { end_ += count; }

    [[nodiscard]] std::string_view data() const noexcept {
        return {storage_.get() + begin_, end_ - begin_};
    }
    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    /// The first `count` octets are used up.
    void consume(std::size_t count) noexcept { begin_ += count; }
    /// Throws the contents away; for STARTTLS.
    void clear() noexcept { begin_ = end_ = 0; }
    /// Gives the memory of an empty buffer back, for a connection that rests.
    void release() noexcept;
    /// Adds octets by copying; for tests and for octets that came by another way.
    void append(std::string_view octets);

  private:
    std::unique_ptr<char[]> storage_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace outpost::smtp
