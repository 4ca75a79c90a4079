#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "net/child_process.hpp"
#include "net/offload.hpp"
#include "upstream/transport.hpp"

namespace outpost::upstream {

class MessageFile;

/// Hands each message to a sendmail-compatible program of this machine, and goes by its exit code.
/// Nothing of RFC 3461 can be asked of it, so success is relayed without DSN.
class SendmailTransport final : public Transport {
  public:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    struct Settings {
        boost::asio::io_context& context;
        net::OffloadPool& pool;
        const base::Clock& clock;
        std::string command;
        /// Ten minutes are what RFC 5321 gives a server for its last reply; most programs only put
        /// the message in a queue, and those that send it at once wait no longer themselves.
        net::ChildProcess::Limits limits{
            .time = std::chrono::minutes(10), .grace = std::chrono::seconds(10), .output = 4096};
        /// Of one run. Linux allows 128 KiB at least, environment included.
        std::size_t argument_octets = 64UL * 1024;
    };

    explicit SendmailTransport(Settings settings);

    awaitable<SendReport> send(Delivery delivery) override;
    /// Only whether the program can be run: there is no trying it without mail.
    awaitable<std::expected<void, std::string>> probe() override;
    awaitable<void> close() override;

  private:
    struct Attempt;

    awaitable<void> run_all(Attempt& attempt, const MessageFile& message);
    awaitable<Outcome> run(Attempt& attempt, const MessageFile& message,
                           std::span<const std::uint32_t> recipients);

    Settings settings_;
    std::vector<std::string> environment_;
};

}  // namespace outpost::upstream
