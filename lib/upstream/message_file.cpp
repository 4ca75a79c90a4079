#include "upstream/message_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "upstream/sendmail_command.hpp"

namespace outpost::upstream {

namespace {

namespace asio = boost::asio;
using Done = std::expected<void, std::string>;

std::unexpected<std::string> no_memory_file() {
    return std::unexpected(fmt::format("cannot keep the message in memory: {}",
                                       std::system_category().message(errno)));
}

Done write_all(int file, std::string_view octets) {
    while (!octets.empty()) {
        const auto count = ::write(file, octets.data(), octets.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return no_memory_file();
        octets.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

/// Writes the message piece by piece with the line ends changed.
class Writer {
  public:
    explicit Writer(int file) : file_(file) {}
    Done write(std::string_view octets) {
        scratch_.clear();
        line_feeds_.convert(octets, scratch_);
        return write_all(file_, scratch_);
    }
    Done finish() {
        scratch_.clear();
        line_feeds_.finish(scratch_);
        return write_all(file_, scratch_);
    }

  private:
    int file_;
    LineFeeds line_feeds_;
    std::string scratch_;
};

asio::awaitable<Done> write_stored(spool::BodySource& source, Writer& writer) {
    std::uint64_t total = 0;
    for (;;) {
        auto piece = co_await source.next();
        if (!piece) co_return std::unexpected(std::move(piece.error()));
        if (piece->empty()) break;
        total += piece->size();
        if (auto done = writer.write(*piece); !done) co_return done;
    }
    if (total != source.size())
        co_return std::unexpected(
            fmt::format("the stored message has {} octets instead of the {} it should have", total,
                        source.size()));
    co_return writer.finish();
}

}  // namespace

FileDescriptor::~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
}

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

asio::awaitable<std::expected<MessageFile, std::string>> MessageFile::make(
    OutgoingMessage& message) {
    FileDescriptor file(::memfd_create("message", MFD_CLOEXEC));
    if (file.get() < 0) co_return no_memory_file();
    Writer writer(file.get());
    Done done;
    if (const auto memory = message.memory()) {
        done = writer.write(*memory);
        if (done) done = writer.finish();
    } else {
        done = co_await write_stored(message.source(), writer);
    }
    if (!done) co_return std::unexpected(std::move(done.error()));
    co_return MessageFile(std::move(file));
}

std::expected<FileDescriptor, boost::system::error_code> MessageFile::open() const {
    const auto path = fmt::format("/proc/self/fd/{}", file_.get());
    FileDescriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (opened.get() >= 0) return opened;
    return std::unexpected(boost::system::error_code(errno, boost::system::system_category()));
}

}  // namespace outpost::upstream
