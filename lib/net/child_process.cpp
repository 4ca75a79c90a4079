#include "net/child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <string_view>
#include <utility>

namespace outpost::net {

namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using asio::posix::stream_descriptor;

ErrorCode error_of(int number) {
    return {number, boost::system::system_category()};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

/// What the child does to its descriptors before it becomes the program.
class FileActions {
  public:
    FileActions(int input, int output) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
        posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
        posix_spawn_file_actions_addchdir_np(&actions_, "/");
    }
    ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;
    [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

/// A session of its own, which is a process group too, and signals as a shell would have them: we
/// ignore SIGPIPE, and a program that inherits this may never notice that nobody listens.
class Attributes {
  public:
    Attributes() {
        posix_spawnattr_init(&attributes_);
        posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        sigset_t signals;
        sigemptyset(&signals);
        posix_spawnattr_setsigmask(&attributes_, &signals);
        sigfillset(&signals);
        posix_spawnattr_setsigdefault(&attributes_, &signals);
    }
    ~Attributes() { posix_spawnattr_destroy(&attributes_); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

  private:
    posix_spawnattr_t attributes_{};
};

/// The process id, or the error. The calling thread stands still until the program is loaded.
std::expected<pid_t, ErrorCode> spawn_child(const ChildProcess::Command& command, int output) {
    std::vector<std::string> words{command.path};
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    auto environment = command.environment;
    const FileActions actions(command.input, output);
    const Attributes attributes;
    pid_t pid = 0;
    const int error = posix_spawn(&pid, command.path.c_str(), actions.get(), attributes.get(),
                                  pointers(words).data(), pointers(environment).data());
    if (error != 0) return std::unexpected(error_of(error));
    return pid;
}

}  // namespace

/// Shared with handlers that may run after wait() has returned.
struct ChildProcess::State {
    pid_t pid;
    stream_descriptor process;  ///< readable once the child has ended
    stream_descriptor output;
    asio::steady_timer timer;
    asio::steady_timer end;  ///< never expires; cancelled once the child has ended
    Limits limits{};
    Ended ended{};
    bool over = false;    ///< the child has ended
    bool reaped = false;  ///< its number may be another process's by now
    std::array<char, 4096> buffer{};

    State(asio::io_context& context, pid_t child, int process_fd, int output_fd)
        : pid(child),
          process(context, process_fd),
          output(context, output_fd),
          timer(context),
          end(context, asio::steady_timer::time_point::max()) {}
    ~State() { signal_group(SIGTERM); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    void signal_group(int number) const noexcept {
        if (!reaped) ::kill(-pid, number);
    }
    void keep(std::size_t count) {
        const auto room = limits.output - std::min(limits.output, ended.output.size());
        ended.output.append(buffer.data(), std::min(count, room));
    }
    /// What was written before the end and not read yet. Not up to the end of the pipe: a process
    /// in the background may hold it open.
    void keep_the_rest() {
        ErrorCode error;
        output.non_blocking(true, error);
        while (!error && ended.output.size() < limits.output)
            keep(output.read_some(asio::buffer(buffer), error));
    }
    [[nodiscard]] bool has_ended() const noexcept {
        siginfo_t info{};
        const int done =
            ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
        return done != 0 || info.si_pid != 0;
    }
    void reap() {
        if (ended.timed_out) signal_group(SIGKILL);
        siginfo_t info{};
        // It has ended, so this does not wait.
        const int done = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED);
        reaped = true;
        if (done != 0) return;
        if (info.si_code == CLD_EXITED) {
            ended.code = info.si_status;
        } else {
            ended.signal = info.si_status;
        }
    }
};

namespace {

/// Notes the end of the child and wakes wait(). Asio's reactor may report a descriptor as ready
/// that is not, where another one has just been closed; so the child itself is asked.
template <class State>
void watch(const std::shared_ptr<State>& state) {
    state->process.async_wait(stream_descriptor::wait_read, [state](const ErrorCode& error) {
        if (error == asio::error::operation_aborted) return;
        if (!state->has_ended()) return watch(state);
        state->over = true;
        ErrorCode ignored;
        state->output.cancel(ignored);
        state->end.cancel();
    });
}

/// Ends the group when the time is over: politely at first, then for good.
template <class State>
void limit_time(const std::shared_ptr<State>& state, std::chrono::steady_clock::duration time,
                int number) {
    state->timer.expires_after(time);
    state->timer.async_wait([state, number](const ErrorCode& error) {
        // What has ended in time counts, although nobody has looked yet.
        if (error || state->over || state->has_ended()) return;
        state->ended.timed_out = true;
        state->signal_group(number);
        if (number != SIGKILL) limit_time(state, state->limits.grace, SIGKILL);
    });
}

}  // namespace

ChildProcess::ChildProcess(std::shared_ptr<State> state) : state_(std::move(state)) {}
ChildProcess::ChildProcess(ChildProcess&&) noexcept = default;
ChildProcess::~ChildProcess() {
    // Handlers that wait hold the state; the child must not outlive its owner for that.
    if (state_) state_->signal_group(SIGTERM);
}

std::expected<ChildProcess, ErrorCode> ChildProcess::start(asio::io_context& context,
                                                           const Command& command) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return std::unexpected(error_of(errno));
    const auto pid = spawn_child(command, pipe[1]);
    ::close(pipe[1]);
    if (!pid) {
        ::close(pipe[0]);
        return std::unexpected(pid.error());
    }
    // glibc 2.36 declares pidfd_open() without extern "C".
    const int process = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0));
    if (process < 0) {
        const int reason = errno;
        ::kill(-*pid, SIGKILL);
        ::waitpid(*pid, nullptr, 0);
        ::close(pipe[0]);
        return std::unexpected(error_of(reason));
    }
    return ChildProcess(std::make_shared<State>(context, *pid, process, pipe[0]));
}

asio::awaitable<ChildProcess::Ended> ChildProcess::wait(Limits limits) {
    constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
    const auto state = state_;
    state->limits = limits;
    limit_time(state, limits.time, SIGTERM);
    watch(state);
    bool closed = false;  // it has closed its output, and may well go on
    while (!state->over && !closed) {
        const auto [error, count] =
            co_await state->output.async_read_some(asio::buffer(state->buffer), as_result);
        state->keep(count);
        closed = static_cast<bool>(error);
    }
    while (!state->over) co_await state->end.async_wait(as_result);
    state->timer.cancel();
    state->keep_the_rest();
    state->reap();
    co_return std::move(state->ended);
}

}  // namespace outpost::net
