#include "upstream/sendmail_transport.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "config/executable.hpp"
#include "smtp/client_machine.hpp"
#include "smtp/extensions.hpp"
#include "upstream/deliver_by.hpp"
#include "upstream/message_file.hpp"
#include "upstream/outgoing_message.hpp"
#include "upstream/sendmail_command.hpp"

namespace outpost::upstream {

namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using std::chrono::duration_cast;
using std::chrono::microseconds;

/// What a program may need to find its files, and nothing of ours: that may hold secrets
/// (`{env: ...}`) and change what the program does.
std::vector<std::string> clean_environment() {
    std::vector<std::string> result{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"};
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
        found != nullptr) {
        result.push_back(fmt::format("HOME={}", found->pw_dir));
        result.push_back(fmt::format("USER={}", found->pw_name));
        result.push_back(fmt::format("LOGNAME={}", found->pw_name));
    }
    return result;
}

/// What a message need not be changed for. CHUNKING is not among it: a program reads lines, so
/// BINARYMIME is re-encoded.
smtp::Extensions form() {
    smtp::Extensions offered;
    offered.eight_bit_mime = true;
    offered.smtputf8 = true;
    return offered;
}

Outcome deferred(Scope scope, std::string words) {
    Outcome outcome;
    outcome.scope = scope;
    outcome.reply = smtp::own_words(std::move(words));
    return outcome;
}

/// The program could not be started: because of what it is, or because the system is short of
/// something just now.
Outcome not_started(const std::string& command, const ErrorCode& error) {
    auto outcome =
        deferred(Scope::upstream, fmt::format("cannot run {}: {}", command, error.message()));
    constexpr std::array wrong{ENOENT, EACCES, EPERM,        ENOEXEC, ENOTDIR,
                               EISDIR, ELOOP,  ENAMETOOLONG, ELIBBAD};
    if (std::ranges::find(wrong, error.value()) != wrong.end())
        outcome.verdict = Verdict::misconfigured;
    return outcome;
}

}  // namespace

/// One send: the recipients that wait for an outcome are those from `next` on.
struct SendmailTransport::Attempt {
    Delivery delivery;
    SendReport report;
    std::size_t next = 0;

    explicit Attempt(const Delivery& what) : delivery(what) {
        report.outcomes.resize(what.recipients.size());
    }
    [[nodiscard]] std::span<const std::uint32_t> pending() const {
        return delivery.recipients.subspan(next);
    }
    void settle(std::size_t count, const Outcome& outcome) {
        std::fill_n(report.outcomes.begin() + static_cast<std::ptrdiff_t>(next), count, outcome);
        next += count;
    }
    SendReport settle_all(const Outcome& outcome) {
        settle(pending().size(), outcome);
        return std::move(report);
    }
};

SendmailTransport::SendmailTransport(Settings settings)
    : settings_(std::move(settings)), environment_(clean_environment()) {}

asio::awaitable<SendReport> SendmailTransport::send(Delivery delivery) {
    Attempt attempt(delivery);
    if (const auto within =
            deliver_within(delivery.envelope.deliver_by, std::nullopt, settings_.clock.wall());
        !within)
        co_return attempt.settle_all(within.error());
    OutgoingMessage message(delivery, settings_.pool);
    if (const auto prepared = co_await message.prepare(form()); !prepared)
        co_return attempt.settle_all(prepared.error());
    auto file = co_await MessageFile::make(message);
    if (!file) co_return attempt.settle_all(deferred(Scope::message, std::move(file.error())));
    co_await run_all(attempt, *file);
    co_return std::move(attempt.report);
}

asio::awaitable<void> SendmailTransport::run_all(Attempt& attempt, const MessageFile& message) {
    const auto& envelope = attempt.delivery.envelope;
    std::size_t alone = 0;  // so many of the next recipients go one by one
    while (!attempt.pending().empty()) {
        auto batch = attempt.pending();
        // Where transactions are counted there must not be a second run for the same permit.
        const bool single = alone > 0 || attempt.delivery.one_transaction;
        batch =
            batch.first(single ? 1 : sendmail_batch(envelope, batch, settings_.argument_octets));
        const auto outcome = co_await run(attempt, message, batch);
        if (batch.size() > 1 && may_be_one_recipients_fault(outcome)) {
            // Nobody is to be bounced, or to wait for ever, for another recipient's sake.
            alone = batch.size();
            continue;
        }
        if (alone > 0) --alone;
        attempt.settle(batch.size(), outcome);
        if (outcome.verdict == Verdict::misconfigured ||
            (outcome.verdict == Verdict::deferred && outcome.scope == Scope::upstream))
            attempt.settle(attempt.pending().size(), outcome);
        if (attempt.delivery.one_transaction) {
            Outcome untried;
            untried.untried = true;
            attempt.settle(attempt.pending().size(), untried);
        }
    }
}

asio::awaitable<Outcome> SendmailTransport::run(Attempt& attempt, const MessageFile& message,
                                                std::span<const std::uint32_t> recipients) {
    const auto input = message.open();
    if (!input)
        co_return deferred(
            Scope::message,
            fmt::format("cannot open the message's file in memory: {}", input.error().message()));
    const auto start = settings_.clock.mono();
    auto child = net::ChildProcess::start(
        settings_.context, {.path = settings_.command,
                            .arguments = sendmail_arguments(attempt.delivery.envelope, recipients),
                            .environment = environment_,
                            .input = input->get()});
    if (!child) co_return not_started(settings_.command, child.error());
    const auto ended = co_await child->wait(settings_.limits);
    attempt.report.stages.transfer += duration_cast<microseconds>(settings_.clock.mono() - start);
    co_return classify_sendmail(settings_.command, {.code = ended.code,
                                                    .signal = ended.signal,
                                                    .timed_out = ended.timed_out,
                                                    .output = ended.output});
}

asio::awaitable<std::expected<void, std::string>> SendmailTransport::probe() {
    if (auto reason = config::not_executable(settings_.command))
        co_return std::unexpected("cannot run " + *reason);
    co_return std::expected<void, std::string>{};
}

asio::awaitable<void> SendmailTransport::close() {
    co_return;
}

}  // namespace outpost::upstream
