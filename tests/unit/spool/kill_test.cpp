// S1, S2 and S6 with real files: a process that stores and finishes messages is killed with
// SIGKILL again and again; what it had told through a pipe must be true afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>
#include <cstdlib>
#include <set>

#include "spool_harness.hpp"

namespace outpost::spool {
namespace {

namespace asio = boost::asio;

struct Told {
    enum class What : std::uint64_t { acknowledged, finishing };
    What what;
    std::uint64_t id;
};

Sample sample_of(base::MessageId id) {
    return make_sample(id.value, 100 + id.value % 7 * 700);
}

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "outpost-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

asio::awaitable<void> work(Spool& spool, int pipe) {
    for (std::uint64_t i = 0;; ++i) {
        const auto id = spool.next_id();
        const Sample sample = sample_of(id);
        NewMessage message{id, sample.envelope, Content{{}, sample.octets, 0}};
        const auto stored = co_await spool.append(std::move(message));
        if (!stored) ::_exit(3);
        const Told acknowledged{Told::What::acknowledged, id.value};
        if (::write(pipe, &acknowledged, sizeof acknowledged) < 0) ::_exit(4);
        if (i % 3 == 0) continue;
        const Told finishing{Told::What::finishing, id.value};
        if (::write(pipe, &finishing, sizeof finishing) < 0) ::_exit(4);
        spool.record(id, done_state(1));
    }
}

[[noreturn]] void run_child(const Options& options, int pipe) {
    PosixFileSystem files;
    base::SystemClock clock;
    net::OffloadPool pool(1, 16);
    auto spool = Spool::open(options, files, clock, pool);
    if (!spool) ::_exit(2);
    asio::io_context io;
    for (int i = 0; i < 8; ++i) asio::co_spawn(io, work(**spool, pipe), asio::detached);
    io.run();
    ::_exit(1);
}

/// Starts a child, hears it out for `messages` acknowledgements, kills it.
void live_and_die(const Options& options, std::size_t messages, std::set<std::uint64_t>& stored,
                  std::set<std::uint64_t>& finishing) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) run_child(options, ends[1]);
    ::close(ends[1]);
    std::size_t heard = 0;
    Told told{};
    while (::read(ends[0], &told, sizeof told) == static_cast<ssize_t>(sizeof told)) {
        if (told.what == Told::What::acknowledged) {
            stored.insert(told.id);
            if (++heard == messages) ::kill(child, SIGKILL);
        } else {
            finishing.insert(told.id);
        }
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself, status " << status;
}

TEST(Kill, LosesNothingAcknowledged) {
    const TemporaryDirectory directory;
    Options options;
    options.directory = directory.path / "spool";
    options.segment_size = 256 << 10;
    options.min_free = 0;
    std::set<std::uint64_t> stored;
    std::set<std::uint64_t> finishing;
    for (std::size_t life = 0; life < 10; ++life) {
        live_and_die(options, 100 + life * 37, stored, finishing);
        if (HasFatalFailure()) return;
        PosixFileSystem files;
        Harness harness;
        const auto started = harness.start(files, options, Tuning{});
        ASSERT_TRUE(started) << started.error();
        EXPECT_EQ(harness.spool().recovery().damaged_records, 0U);
        for (const std::uint64_t id : stored) {
            if (finishing.contains(id)) continue;
            ASSERT_EQ(harness.compare(base::MessageId{id}, sample_of(base::MessageId{id})), "");
        }
        for (const auto& [id, summary] : harness.recovered())
            ASSERT_EQ(harness.compare(id, sample_of(id)), "");
    }
}

TEST(PosixFiles, NameTheProcessThatHoldsTheLock) {
    const TemporaryDirectory directory;
    PosixFileSystem files;
    const auto path = directory.path / "lock";
    auto lock = files.lock(path);
    ASSERT_TRUE(lock);
    const auto second = files.lock(path);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().text, testing::HasSubstr("process " + std::to_string(::getpid())));
    lock->reset();
    EXPECT_TRUE(files.lock(path));
}

TEST(PosixFiles, WriteManyPiecesAndReadThemBack) {
    const TemporaryDirectory directory;
    PosixFileSystem files;
    auto file = files.open(directory.path / "file", OpenMode::create);
    ASSERT_TRUE(file);
    std::vector<std::string> octets;
    std::vector<std::string_view> pieces;
    std::string all(10, '\0');
    for (std::size_t i = 0; i < 5000; ++i) octets.emplace_back(i % 50, static_cast<char>(i));
    for (const auto& piece : octets) {
        pieces.emplace_back(piece);
        all += piece;
    }
    ASSERT_TRUE((*file)->write_at(10, pieces));
    ASSERT_TRUE((*file)->sync());
    EXPECT_EQ((*file)->size(), all.size());
    std::string read(all.size() + 5, 'x');
    ASSERT_EQ((*file)->read_at(0, read), all.size());
    read.resize(all.size());
    EXPECT_EQ(read, all);
    std::string some(100, '\0');
    if ((*file)->read_cached_at(50, some)) EXPECT_EQ(some, all.substr(50, 100));
    EXPECT_FALSE((*file)->read_cached_at(all.size() - 50, some));
    ASSERT_TRUE((*file)->truncate(7));
    EXPECT_EQ((*file)->size(), 7U);
    (*file)->reserve(1 << 20);
    EXPECT_EQ((*file)->size(), 7U);
}

TEST(PosixFiles, ListRenameAndRemove) {
    const TemporaryDirectory directory;
    PosixFileSystem files;
    const auto deep = directory.path / "a" / "b";
    ASSERT_TRUE(files.create_directories(deep));
    ASSERT_TRUE(files.create_directories(deep));
    ASSERT_TRUE(files.open(deep / "two", OpenMode::create));
    ASSERT_TRUE(files.open(deep / "one", OpenMode::create));
    EXPECT_EQ(files.list(deep), (std::vector<std::string>{"one", "two"}));
    ASSERT_TRUE(files.rename(deep / "two", deep / "one"));
    EXPECT_EQ(files.list(deep), (std::vector<std::string>{"one"}));
    ASSERT_TRUE(files.remove(deep / "one"));
    EXPECT_TRUE(files.remove(deep / "one"));
    EXPECT_TRUE(files.sync_directory(deep));
    const auto missing = files.open(deep / "one", OpenMode::update);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ENOENT);
    EXPECT_THAT(missing.error().text, testing::HasSubstr((deep / "one").string()));
    EXPECT_GT(files.free_space(deep).value_or(0), 0U);
}

}  // namespace
}  // namespace outpost::spool
