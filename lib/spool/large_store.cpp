#include "spool/large_store.hpp"

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "spool/patient_offload.hpp"

namespace outpost::spool {

namespace asio = boost::asio;

namespace {

constexpr std::string_view suffix = ".eml";

}  // namespace

LargeFile::LargeFile(std::shared_ptr<LargeStore> owner, std::filesystem::path name,
                     std::unique_ptr<File> opened)
    : store(std::move(owner)), path(std::move(name)), file(std::move(opened)) {}

LargeFile::~LargeFile() {
    if (!kept.load(std::memory_order_acquire)) store->discard(path);
}

LargeStore::LargeStore(FileSystem& files, net::OffloadPool& pool, std::filesystem::path directory,
                       std::shared_ptr<Gate> gate, std::shared_ptr<SpaceGuard> space)
    : files_(files),
      pool_(pool),
      directory_(std::move(directory)),
      gate_(std::move(gate)),
      space_(std::move(space)) {}

asio::awaitable<std::expected<LargeBodyWriter, StoreFailure>> LargeStore::begin(
    base::MessageId id) {
    using Opened = std::expected<std::shared_ptr<LargeFile>, StoreFailure>;
    auto create = [self = shared_from_this(), id]() -> Opened {
        self->space_->check();
        if (!self->gate_->open()) return std::unexpected(self->gate_->failure());
        auto opened = self->files_.open(self->path(id), OpenMode::create);
        if (!opened) return std::unexpected(self->refuse(opened.error(), 0, true));
        return std::make_shared<LargeFile>(self, self->path(id), std::move(*opened));
    };
    Opened file = co_await offload_patiently(pool_, std::move(create));
    if (!file) co_return std::unexpected(std::move(file.error()));
    co_return LargeBodyWriter(std::move(*file));
}

asio::awaitable<std::expected<void, StoreFailure>> LargeStore::write(
    std::shared_ptr<LargeFile> file, std::string piece) {
    using Written = std::expected<void, StoreFailure>;
    auto shared = std::make_shared<const std::string>(std::move(piece));
    auto work = [self = shared_from_this(), file, shared]() -> Written {
        self->space_->check();
        if (!self->gate_->open()) return std::unexpected(self->gate_->failure());
        const std::array<std::string_view, 1> pieces{*shared};
        if (auto written = file->file->write_at(file->size, pieces); !written)
            return std::unexpected(self->refuse(written.error(), shared->size(), true));
        file->checksum.update(*shared);
        file->size += shared->size();
        return {};
    };
    co_return co_await offload_patiently(pool_, std::move(work));
}

asio::awaitable<std::expected<void, StoreFailure>> LargeStore::make_durable(
    std::shared_ptr<LargeFile> file) {
    using Synced = std::expected<void, StoreFailure>;
    auto work = [self = shared_from_this(), file]() -> Synced {
        if (auto synced = file->file->sync(); !synced)
            return std::unexpected(self->refuse(synced.error(), 0, false));
        if (auto synced = self->files_.sync_directory(self->directory_); !synced)
            return std::unexpected(self->refuse(synced.error(), 0, false));
        return {};
    };
    co_return co_await offload_patiently(pool_, std::move(work));
}

std::filesystem::path LargeStore::path(base::MessageId id) const {
    return directory_ / (id.text() + std::string(suffix));
}

void LargeStore::discard(std::filesystem::path path) {
    {
        const std::lock_guard lock(mutex_);
        if (!closed_) {
            discarded_.push_back(std::move(path));
            return;
        }
    }
    (void)files_.remove(path);  // an orphan at the worst: the next start removes it
}

void LargeStore::remove_discarded(bool last) {
    std::vector<std::filesystem::path> paths;
    {
        const std::lock_guard lock(mutex_);
        paths.swap(discarded_);
        closed_ = closed_ || last;
    }
    for (const auto& path : paths) {
        if (auto removed = files_.remove(path); !removed)
            base::log::warning("spool: cannot remove the file of a message that is gone",
                               {{"reason", removed.error().text}});
    }
}

std::size_t LargeStore::remove_orphans(const std::function<bool(base::MessageId)>& wanted) {
    std::size_t removed = 0;
    const auto names = files_.list(directory_);
    if (!names) return 0;
    for (const auto& name : *names) {
        if (!name.ends_with(suffix)) continue;
        const auto id =
            base::MessageId::parse(std::string_view(name).substr(0, name.size() - suffix.size()));
        if (id && !wanted(*id) && files_.remove(directory_ / name)) ++removed;
    }
    return removed;
}

void LargeStore::report_damage(base::MessageId id, std::string reason) {
    const std::lock_guard lock(mutex_);
    damaged_.emplace_back(id, std::move(reason));
}

std::optional<std::string> LargeStore::damage_of(base::MessageId id) const {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(damaged_, id, [](const auto& pair) { return pair.first; });
    if (found == damaged_.end()) return std::nullopt;
    return found->second;
}

StoreFailure LargeStore::refuse(const IoError& error, std::uint64_t octets, bool undone) {
    if (undone && error.no_space()) {
        space_->ran_out(octets, error.text);
        return {StoreFailure::Kind::no_space, error.text};
    }
    gate_->stop(error.text);
    return {StoreFailure::Kind::fail_stop, error.text};
}

}  // namespace outpost::spool
