// links: spool
// How many messages a second the spool stores durably: spool_bench DIRECTORY [OCTETS] [APPENDERS]
// [MESSAGES] [done]. With `done`, each message is read back and finished as it is stored.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "spool/spool.hpp"

namespace {

namespace asio = boost::asio;
using namespace outpost;

struct Run {
    std::unique_ptr<spool::Spool> spool;
    std::size_t octets = 2048;
    std::atomic<std::int64_t> left{0};
    std::vector<double> milliseconds;
};

spool::NewMessage make_message(Run& run) {
    spool::NewMessage message;
    message.id = run.spool->next_id();
    message.envelope.account = "newsletter";
    message.envelope.reverse_path = "info@example.com";
    message.envelope.recipients.push_back({"someone@example.net", {}, {}});
    spool::Content content;
    content.head = "Received: from x\r\nSubject: hello\r\n\r\n";
    content.data.assign(run.octets, 'x');
    message.body = std::move(content);
    return message;
}

asio::awaitable<void> append_many(Run& run) {
    while (run.left.fetch_sub(1) > 0) {
        const auto start = std::chrono::steady_clock::now();
        auto message = make_message(run);
        const auto stored = co_await run.spool->append(std::move(message));
        if (!stored) {
            fmt::print(stderr, "{}\n", stored.error().reason);
            std::exit(1);
        }
        const std::chrono::duration<double, std::milli> took =
            std::chrono::steady_clock::now() - start;
        run.milliseconds.push_back(took.count());
    }
}

asio::awaitable<void> deliver(Run& run, base::MessageId id) {
    auto message = co_await run.spool->read(id);
    if (!message) std::exit(2);
    for (auto& recipient : message->state.recipients)
        recipient.status = spool::RecipientStatus::delivered;
    run.spool->record(id, std::move(message->state));
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        fmt::print(stderr, "usage: spool_bench DIRECTORY [OCTETS] [APPENDERS] [MESSAGES] [done]\n");
        return 64;
    }
    const auto number = [&](int index, std::int64_t fallback) {
        return argc > index ? std::atoll(argv[index]) : fallback;
    };
    Run run;
    run.octets = static_cast<std::size_t>(number(2, 2048));
    const auto appenders = number(3, 64);
    const auto messages = number(4, 100'000);
    const bool finish = argc > 5;

    spool::PosixFileSystem files;
    base::SystemClock clock;
    net::OffloadPool pool(2, 64);
    spool::Options options;
    options.directory = std::filesystem::path(argv[1]) / "spool";
    auto opened = spool::Spool::open(options, files, clock, pool);
    if (!opened) {
        fmt::print(stderr, "{}\n", opened.error());
        return 1;
    }
    run.spool = std::move(*opened);
    run.left = messages;
    asio::io_context io;
    std::atomic<std::int64_t> commits{0};
    run.spool->on_stored([&](std::span<const spool::Summary> stored) {
        ++commits;
        if (!finish) return;
        for (const auto& summary : stored)
            asio::co_spawn(io, deliver(run, summary.id), asio::detached);
    });
    const double cpu = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < appenders; ++i)
        asio::co_spawn(io, append_many(run), asio::detached);
    io.run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::ranges::sort(run.milliseconds);
    const auto count = static_cast<double>(run.milliseconds.size());
    fmt::print(
        "{} octets, {} appenders: {:.0f} msg/s, {:.1f} messages a commit, "
        "{:.1f} us CPU a message, latency p50 {:.2f} ms p99 {:.2f} ms\n",
        run.octets, appenders, count / took.count(), count / static_cast<double>(commits.load()),
        (cpu_seconds() - cpu) / count * 1e6, run.milliseconds[run.milliseconds.size() / 2],
        run.milliseconds[run.milliseconds.size() * 99 / 100]);
    run.spool->close();
}
