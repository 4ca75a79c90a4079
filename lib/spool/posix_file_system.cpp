#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <system_error>
#include <utility>

#include "spool/file_system.hpp"

namespace outpost::spool {

namespace {

constexpr mode_t file_mode = 0600;  // mail is private
constexpr mode_t directory_mode = 0700;

std::unexpected<IoError> failure(std::string_view call, const std::filesystem::path& path,
                                 int code = errno) {
    return std::unexpected(IoError{code, fmt::format("{} {}: {}", call, path.string(),
                                                     std::generic_category().message(code))});
}

class Descriptor {
  public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

class PosixFile final : public File {
  public:
    PosixFile(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}

    IoResult<void> write_at(std::uint64_t offset,
                            std::span<const std::string_view> pieces) override {
        constexpr std::size_t group = 1024;  // IOV_MAX of Linux
        std::array<iovec, group> parts;
        while (!pieces.empty()) {
            const std::size_t count = std::min(group, pieces.size());
            for (std::size_t i = 0; i < count; ++i)
                parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
            if (auto written = write_group(offset, {parts.data(), count}); written)
                offset += *written;
            else
                return std::unexpected(written.error());
            pieces = pieces.subspan(count);
        }
        return {};
    }

    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<char> buffer) override {
        std::size_t done = 0;
        while (done < buffer.size()) {
            const ssize_t n = ::pread(fd_.get(), buffer.data() + done, buffer.size() - done,
                                      static_cast<off_t>(offset + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failure("pread", path_);
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        return done;
    }

    bool read_cached_at(std::uint64_t offset, std::span<char> buffer) override {
        const iovec part{buffer.data(), buffer.size()};
        const ssize_t n = ::preadv2(fd_.get(), &part, 1, static_cast<off_t>(offset), RWF_NOWAIT);
        return n >= 0 && static_cast<std::size_t>(n) == buffer.size();
    }

    IoResult<void> sync() override {
        if (::fdatasync(fd_.get()) != 0) return failure("fdatasync", path_);
        return {};
    }
    IoResult<void> truncate(std::uint64_t size) override {
        if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0)
            return failure("ftruncate", path_);
        return {};
    }
    IoResult<std::uint64_t> size() override {
        struct stat status{};
        if (::fstat(fd_.get(), &status) != 0) return failure("fstat", path_);
        return static_cast<std::uint64_t>(status.st_size);
    }
    void reserve(std::uint64_t size) noexcept override {
        (void)::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size));
    }

  private:
    IoResult<std::uint64_t> write_group(std::uint64_t offset, std::span<iovec> parts) {
        std::uint64_t total = 0;
        while (!parts.empty()) {
            if (parts.front().iov_len == 0) {
                parts = parts.subspan(1);
                continue;
            }
            const ssize_t n = ::pwritev(fd_.get(), parts.data(), static_cast<int>(parts.size()),
                                        static_cast<off_t>(offset + total));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failure("pwritev", path_);
            if (n == 0) return failure("pwritev", path_, EIO);
            total += static_cast<std::uint64_t>(n);
            parts = skip(parts, static_cast<std::size_t>(n));
        }
        return total;
    }

    static std::span<iovec> skip(std::span<iovec> parts, std::size_t octets) {
        while (octets > 0) {
            iovec& part = parts.front();
            const std::size_t step = std::min(octets, part.iov_len);
            part = {static_cast<char*>(part.iov_base) + step, part.iov_len - step};
            octets -= step;
            if (part.iov_len == 0) parts = parts.subspan(1);
        }
        return parts;
    }

    Descriptor fd_;
    std::filesystem::path path_;
};

class PosixLock final : public FileLock {
  public:
    explicit PosixLock(int fd) noexcept : fd_(fd) {}

  private:
    Descriptor fd_;
};

std::string holder_of(int fd) {
    std::array<char, 32> text{};
    const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
    std::string_view pid(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    pid = pid.substr(0, pid.find_first_not_of("0123456789"));
    return pid.empty() ? "another process" : fmt::format("process {}", pid);
}

}  // namespace

bool IoError::no_space() const noexcept {
    return code == ENOSPC || code == EDQUOT;
}

IoResult<std::unique_ptr<File>> PosixFileSystem::open(const std::filesystem::path& path,
                                                      OpenMode mode) {
    int flags = O_CLOEXEC;
    switch (mode) {
        case OpenMode::read: flags |= O_RDONLY; break;
        case OpenMode::update: flags |= O_RDWR; break;
        case OpenMode::create: flags |= O_RDWR | O_CREAT | O_TRUNC; break;
    }
    const int fd = ::open(path.c_str(), flags, file_mode);
    if (fd < 0) return failure("open", path);
    return std::make_unique<PosixFile>(fd, path);
}

IoResult<void> PosixFileSystem::create_directories(const std::filesystem::path& path) {
    const auto parent = path.parent_path();
    std::error_code error;
    if (!parent.empty() && parent != path && !std::filesystem::exists(parent, error)) {
        if (auto made = create_directories(parent); !made) return made;
    }
    if (::mkdir(path.c_str(), directory_mode) != 0) {
        if (errno == EEXIST && std::filesystem::is_directory(path, error)) return {};
        return failure("mkdir", path);
    }
    return sync_directory(parent.empty() ? "." : parent);
}

IoResult<std::vector<std::string>> PosixFileSystem::list(const std::filesystem::path& path) {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry(path, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        names.push_back(entry->path().filename().string());
    if (error) return failure("readdir", path, error.value());
    std::ranges::sort(names);
    return names;
}

IoResult<void> PosixFileSystem::rename(const std::filesystem::path& from,
                                       const std::filesystem::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return failure("rename", from);
    return {};
}

IoResult<void> PosixFileSystem::remove(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failure("unlink", path);
    return {};
}

IoResult<void> PosixFileSystem::sync_directory(const std::filesystem::path& path) {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return failure("open", path);
    if (::fsync(fd.get()) != 0) return failure("fsync", path);
    return {};
}

IoResult<std::uint64_t> PosixFileSystem::free_space(const std::filesystem::path& path) {
    struct statvfs status{};
    if (::statvfs(path.c_str(), &status) != 0) return failure("statvfs", path);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

IoResult<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::filesystem::path& path) {
    Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, file_mode));
    if (fd.get() < 0) return failure("open", path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return failure("flock", path);
        return std::unexpected(IoError{
            EWOULDBLOCK, fmt::format("{} is locked by {}", path.string(), holder_of(fd.get()))});
    }
    const std::string pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(fd.get(), 0) != 0 ||
        ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
        return failure("write", path);
    return std::make_unique<PosixLock>(fd.release());
}

}  // namespace outpost::spool
