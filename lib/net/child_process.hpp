#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace outpost::net {

/// A program that runs beside us, without a shell: in a session and process group of its own, in
/// the directory /, with default signals, the given environment and no descriptor of ours but its
/// standard three. Used on the io_context's thread.
class ChildProcess {
  public:
    struct Command {
        std::string path;                    ///< absolute; PATH is not searched
        std::vector<std::string> arguments;  ///< without the program's own name
        std::vector<std::string> environment;
        int input = -1;  ///< becomes standard input; stays the caller's
    };
    struct Limits {
        std::chrono::steady_clock::duration time;   ///< then the whole group gets SIGTERM
        std::chrono::steady_clock::duration grace;  ///< from SIGTERM to SIGKILL
        std::size_t output;  ///< octets that are kept; what is over it is read and dropped
    };
    struct Ended {
        std::optional<int> code;  ///< nothing: a signal ended it, or (0) it cannot be told
        int signal = 0;
        bool timed_out = false;
        std::string output;  ///< standard output and standard error as they came
    };

    /// The error is errno's: ENOENT, EACCES, ENOEXEC for a program that cannot be run, EAGAIN,
    /// ENOMEM, EMFILE and the like for a system that is short of something.
    static std::expected<ChildProcess, boost::system::error_code> start(
        boost::asio::io_context& context, const Command& command);
    /// The group of a child that has not ended gets SIGTERM.
    ~ChildProcess();
    ChildProcess(ChildProcess&&) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;

    /// To be called once. Returns when the child itself has ended; what it left running in the
    /// background goes on, unless the time was over.
    boost::asio::awaitable<Ended> wait(Limits limits);

  private:
    struct State;
    explicit ChildProcess(std::shared_ptr<State> state);

    std::shared_ptr<State> state_;
};

}  // namespace outpost::net
