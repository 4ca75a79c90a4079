#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <expected>
#include <string>
#include <string_view>

#include "upstream/outgoing_message.hpp"

namespace outpost::upstream {

/// A descriptor that is closed with its owner.
class FileDescriptor {
  public:
    explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
    ~FileDescriptor();
    FileDescriptor(FileDescriptor&& other) noexcept;
    FileDescriptor& operator=(FileDescriptor&&) = delete;
    [[nodiscard]] int get() const noexcept { return fd_; }

  private:
    int fd_;
};

/// A whole message with LF line ends in a file in memory, for programs to read. A pipe would end
/// where we do: a daemon that is killed half-way must not leave a program with half a message that
/// it takes for all of it.
class MessageFile {
  public:
    /// The error says what went wrong: the stored message cannot be read, or memory is short.
    static boost::asio::awaitable<std::expected<MessageFile, std::string>> make(
        OutgoingMessage& message);

    /// For reading, from the first octet; each has a position of its own.
    [[nodiscard]] std::expected<FileDescriptor, boost::system::error_code> open() const;

  private:
    explicit MessageFile(FileDescriptor file) noexcept : file_(std::move(file)) {}

    FileDescriptor file_;
};

}  // namespace outpost::upstream
