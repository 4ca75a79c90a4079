#include "faulty_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace outpost::spool {

namespace {

constexpr std::size_t sector = 512;

IoError error(int code, std::string_view call, const std::filesystem::path& path) {
    return {code, std::string(call) + " " + path.string() + ": " + std::strerror(code)};
}

}  // namespace

class FaultyFile final : public File {
  public:
    FaultyFile(FaultyFiles& disk, FaultyFiles::NodePtr node, std::filesystem::path path)
        : disk_(disk), node_(std::move(node)), path_(std::move(path)) {}

    IoResult<void> write_at(std::uint64_t offset,
                            std::span<const std::string_view> pieces) override {
        const std::lock_guard lock(disk_.mutex_);
        FaultyFiles::Write write{offset, {}};
        for (const auto piece : pieces) write.octets.append(piece);
        const bool powered = !disk_.power_lost_;
        const auto failed = disk_.fault("write", path_);
        if (failed && !disk_.power_lost_)
            write.octets.resize(disk_.random_() % (write.octets.size() + 1));
        if (powered) {
            FaultyFiles::apply(node_->content, write);
            node_->pending.emplace_back(std::move(write));
        }
        if (failed) return std::unexpected(*failed);
        return {};
    }

    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<char> buffer) override {
        const std::lock_guard lock(disk_.mutex_);
        if (!disk_.unreadable_.empty() && path_.string().contains(disk_.unreadable_))
            return std::unexpected(error(EIO, "read", path_));
        if (offset >= node_->content.size()) return 0;
        return node_->content.copy(buffer.data(), buffer.size(), offset);
    }
    bool read_cached_at(std::uint64_t offset, std::span<char> buffer) override {
        const auto read = read_at(offset, buffer);
        return (disk_.random_cached() & 1) != 0 && read && *read == buffer.size();
    }

    IoResult<void> sync() override {
        std::unique_lock lock(disk_.mutex_);
        disk_.changed_.wait(lock, [this] { return !disk_.syncs_held_; });
        const auto failed = disk_.fault("sync", path_);
        if (disk_.power_lost_) return std::unexpected(*failed);
        for (const auto& change : node_->pending)
            if (!failed || disk_.random_() % 2 == 0) FaultyFiles::apply(node_->durable, change);
        node_->pending.clear();
        if (failed) return std::unexpected(*failed);
        return {};
    }
    IoResult<void> truncate(std::uint64_t size) override {
        const std::lock_guard lock(disk_.mutex_);
        const bool powered = !disk_.power_lost_;
        const auto failed = disk_.fault("truncate", path_);
        if (powered && (!failed || disk_.power_lost_)) {
            FaultyFiles::apply(node_->content, FaultyFiles::Truncate{size});
            node_->pending.emplace_back(FaultyFiles::Truncate{size});
        }
        if (failed) return std::unexpected(*failed);
        return {};
    }
    IoResult<std::uint64_t> size() override {
        const std::lock_guard lock(disk_.mutex_);
        return node_->content.size();
    }
    void reserve(std::uint64_t) noexcept override {}

  private:
    FaultyFiles& disk_;
    FaultyFiles::NodePtr node_;
    std::filesystem::path path_;
};

class FaultyLock final : public FileLock {
  public:
    FaultyLock(FaultyFiles& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
    ~FaultyLock() override {
        const std::lock_guard lock(disk_.mutex_);
        disk_.locks_.erase(path_);
    }

  private:
    FaultyFiles& disk_;
    std::string path_;
};

FaultyFiles::FaultyFiles() = default;

void FaultyFiles::lose_power_at(std::uint64_t call) {
    const std::lock_guard lock(mutex_);
    power_lost_at_ = call;
}

void FaultyFiles::fail_at(std::uint64_t call, int code, std::uint64_t times) {
    const std::lock_guard lock(mutex_);
    fail_at_ = call;
    fail_code_ = code;
    fail_times_ = times;
}

void FaultyFiles::fail_only(std::string word) {
    const std::lock_guard lock(mutex_);
    fail_only_ = std::move(word);
    calls_ = 0;
}

void FaultyFiles::set_free_space(std::uint64_t octets) {
    const std::lock_guard lock(mutex_);
    free_space_ = octets;
}

std::uint64_t FaultyFiles::free_space_asked() const {
    const std::lock_guard lock(mutex_);
    return free_space_asked_;
}

void FaultyFiles::fail_reads_of(std::string part) {
    const std::lock_guard lock(mutex_);
    unreadable_ = std::move(part);
}

void FaultyFiles::fail_removals_of(std::string part) {
    const std::lock_guard lock(mutex_);
    unremovable_ = std::move(part);
}

std::uint64_t FaultyFiles::removals_failed() const {
    const std::lock_guard lock(mutex_);
    return removals_failed_;
}

void FaultyFiles::hold_syncs(bool hold) {
    const std::lock_guard lock(mutex_);
    syncs_held_ = hold;
    changed_.notify_all();
}

std::uint64_t FaultyFiles::calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
}

bool FaultyFiles::power_lost() const {
    const std::lock_guard lock(mutex_);
    return power_lost_;
}

std::uint64_t FaultyFiles::random_cached() {
    const std::lock_guard lock(mutex_);
    return random_();
}

std::unique_ptr<FaultyFiles> FaultyFiles::after_power_cut(std::uint64_t seed) const {
    const std::lock_guard lock(mutex_);
    auto disk = std::make_unique<FaultyFiles>();
    std::mt19937_64 random(seed);
    std::map<NodePtr, NodePtr> survivors;
    for (const auto& [path, directory] : directories_) {
        Entries entries = directory.durable;
        for (const auto& change : directory.pending)
            if (random() % 2 == 0) apply(entries, change);
        Directory& copy = disk->directories_[path];
        for (const auto& [name, node] : entries) {
            NodePtr& survived = survivors[node];
            if (!survived) {
                survived = std::make_shared<Node>();
                survived->content = survived->durable = survivor(*node, random);
            }
            copy.entries[name] = copy.durable[name] = survived;
        }
    }
    return disk;
}

std::unique_ptr<FaultyFiles> FaultyFiles::after_kill() const {
    const std::lock_guard lock(mutex_);
    auto disk = std::make_unique<FaultyFiles>();
    std::map<NodePtr, NodePtr> copies;
    const auto copy = [&](const NodePtr& node) {
        if (!node) return node;
        NodePtr& made = copies[node];
        if (!made) made = std::make_shared<Node>(*node);
        return made;
    };
    disk->directories_ = directories_;
    for (auto& [path, directory] : disk->directories_) {
        for (auto& [name, node] : directory.entries) node = copy(node);
        for (auto& [name, node] : directory.durable) node = copy(node);
        for (auto& change : directory.pending) change.node = copy(change.node);
    }
    return disk;
}

std::optional<std::string> FaultyFiles::content(const std::filesystem::path& path) const {
    const std::lock_guard lock(mutex_);
    const NodePtr node = find(path);
    if (!node) return std::nullopt;
    return node->content;
}

void FaultyFiles::set_content(const std::filesystem::path& path, std::string content) {
    const std::lock_guard lock(mutex_);
    auto node = std::make_shared<Node>();
    node->content = node->durable = std::move(content);
    Directory& directory = directories_[path.parent_path().string()];
    directory.entries[path.filename().string()] = node;
    directory.durable[path.filename().string()] = node;
}

std::vector<std::string> FaultyFiles::names(const std::filesystem::path& directory) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    if (const auto found = directories_.find(directory.string()); found != directories_.end())
        for (const auto& [name, node] : found->second.entries) names.push_back(name);
    return names;
}

bool FaultyFiles::wait_until(const std::function<bool()>& condition, std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        std::unique_lock lock(mutex_);
        if (std::chrono::steady_clock::now() > end) return false;
        changed_.wait_for(lock, std::chrono::milliseconds(1));
    }
    return true;
}

IoResult<std::unique_ptr<File>> FaultyFiles::open(const std::filesystem::path& path,
                                                  OpenMode mode) {
    const std::lock_guard lock(mutex_);
    NodePtr node = find(path);
    if (mode == OpenMode::create) {
        const bool powered = !power_lost_;
        const auto failed = fault("create", path);
        if (powered && (!failed || power_lost_)) {
            if (node) {
                apply(node->content, Truncate{0});
                node->pending.emplace_back(Truncate{0});
            } else {
                node = std::make_shared<Node>();
                change_entry(path.parent_path(), {{}, path.filename().string(), node});
            }
        }
        if (failed) return std::unexpected(*failed);
    }
    if (!node) return std::unexpected(error(ENOENT, "open", path));
    return std::make_unique<FaultyFile>(*this, std::move(node), path);
}

IoResult<void> FaultyFiles::create_directories(const std::filesystem::path& path) {
    const std::lock_guard lock(mutex_);
    if (directories_.contains(path.string())) return {};
    if (const auto failed = fault("mkdir", path)) return std::unexpected(*failed);
    directories_[path.string()];
    return {};
}

IoResult<std::vector<std::string>> FaultyFiles::list(const std::filesystem::path& path) {
    return names(path);
}

IoResult<void> FaultyFiles::rename(const std::filesystem::path& from,
                                   const std::filesystem::path& to) {
    const std::lock_guard lock(mutex_);
    const NodePtr node = find(from);
    if (!node) return std::unexpected(error(ENOENT, "rename", from));
    const bool powered = !power_lost_;
    const auto failed = fault("rename", from);
    if (powered && (!failed || power_lost_)) {
        if (from.parent_path() == to.parent_path()) {
            change_entry(from.parent_path(),
                         {from.filename().string(), to.filename().string(), node});
        } else {
            change_entry(to.parent_path(), {{}, to.filename().string(), node});
            change_entry(from.parent_path(), {from.filename().string(), {}, nullptr});
        }
    }
    if (failed) return std::unexpected(*failed);
    return {};
}

IoResult<void> FaultyFiles::remove(const std::filesystem::path& path) {
    const std::lock_guard lock(mutex_);
    if (!find(path)) return {};
    if (!unremovable_.empty() && path.string().contains(unremovable_)) {
        ++removals_failed_;
        return std::unexpected(error(EACCES, "remove", path));
    }
    const bool powered = !power_lost_;
    const auto failed = fault("remove", path);
    if (powered && (!failed || power_lost_))
        change_entry(path.parent_path(), {path.filename().string(), {}, nullptr});
    if (failed) return std::unexpected(*failed);
    return {};
}

IoResult<void> FaultyFiles::sync_directory(const std::filesystem::path& path) {
    const std::lock_guard lock(mutex_);
    const auto failed = fault("sync directory", path);
    if (power_lost_) return std::unexpected(*failed);
    Directory& directory = directories_[path.string()];
    for (const auto& change : directory.pending)
        if (!failed || random_() % 2 == 0) apply(directory.durable, change);
    directory.pending.clear();
    if (failed) return std::unexpected(*failed);
    return {};
}

IoResult<std::uint64_t> FaultyFiles::free_space(const std::filesystem::path&) {
    const std::lock_guard lock(mutex_);
    ++free_space_asked_;
    return free_space_;
}

IoResult<std::unique_ptr<FileLock>> FaultyFiles::lock(const std::filesystem::path& path) {
    const std::lock_guard lock(mutex_);
    if (!locks_.insert(path.string()).second)
        return std::unexpected(IoError{EWOULDBLOCK, path.string() + " is locked by process 1"});
    return std::make_unique<FaultyLock>(*this, path.string());
}

std::optional<IoError> FaultyFiles::fault(std::string_view call,
                                          const std::filesystem::path& path) {
    changed_.notify_all();
    if (power_lost_) return error(EIO, "no power", path);
    if (!fail_only_.empty() && call.find(fail_only_) == std::string_view::npos) return std::nullopt;
    ++calls_;
    if (calls_ == power_lost_at_) {
        power_lost_ = true;
        return error(EIO, "no power", path);
    }
    if (fail_at_ != 0 && calls_ >= fail_at_ && calls_ - fail_at_ < fail_times_)
        return error(fail_code_, call, path);
    return std::nullopt;
}

void FaultyFiles::apply(std::string& content, const Change& change) {
    if (const auto* cut = std::get_if<Truncate>(&change)) {
        content.resize(cut->size);
        return;
    }
    const auto& write = std::get<Write>(change);
    if (content.size() < write.offset + write.octets.size())
        content.resize(write.offset + write.octets.size());
    content.replace(write.offset, write.octets.size(), write.octets);
}

void FaultyFiles::apply(Entries& entries, const EntryChange& change) {
    if (!change.gone.empty()) entries.erase(change.gone);
    if (!change.name.empty()) entries[change.name] = change.node;
}

std::string FaultyFiles::survivor(const Node& node, std::mt19937_64& random) {
    enum class Mode : std::uint8_t { all, none, some, torn };
    std::string content = node.durable;
    auto pending = node.pending;
    const auto mode = static_cast<Mode>(random() % 4);
    if (mode == Mode::none) return content;
    // Any order, but a cut that came last must not lose to a write that came first and was undone:
    // the file's size is metadata, which a journal keeps in order.
    for (const auto& change : pending) {
        if (mode != Mode::all && random() % 3 == 0) continue;
        const auto* write = std::get_if<Write>(&change);
        if (mode != Mode::torn || !write) {
            apply(content, change);
            continue;
        }
        for (std::size_t at = 0; at < write->octets.size();) {
            const std::size_t length =
                std::min(sector - (write->offset + at) % sector, write->octets.size() - at);
            if (random() % 4 != 0)
                apply(content, Write{write->offset + at, write->octets.substr(at, length)});
            at += length;
        }
    }
    return content;
}

void FaultyFiles::change_entry(const std::filesystem::path& path, EntryChange change) {
    Directory& directory = directories_[path.string()];
    apply(directory.entries, change);
    directory.pending.push_back(std::move(change));
}

FaultyFiles::NodePtr FaultyFiles::find(const std::filesystem::path& path) const {
    const auto directory = directories_.find(path.parent_path().string());
    if (directory == directories_.end()) return nullptr;
    const auto entry = directory->second.entries.find(path.filename().string());
    return entry == directory->second.entries.end() ? nullptr : entry->second;
}

}  // namespace outpost::spool
