#include "delivery/test_sender.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "delivery/attempt_record.hpp"
#include "delivery/delivery_log.hpp"
#include "delivery/explain.hpp"
#include "delivery/reporter.hpp"
#include "message/address_list.hpp"
#include "message/test_message.hpp"
#include "message/transcode.hpp"
#include "smtp/client_machine.hpp"

namespace outpost::delivery {
namespace {

namespace asio = boost::asio;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using upstream::Verdict;

/// For the store of limits to answer, and how often it is asked.
constexpr std::chrono::seconds lease_wait{10};
constexpr int most_leases = 3;

/// A message in memory, given out in one piece.
class MemoryBody final : public spool::BodySource {
  public:
    explicit MemoryBody(const std::string& octets) : octets_(octets) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return octets_.size(); }
    asio::awaitable<std::expected<std::string_view, std::string>> next() override {
        co_return std::exchange(given_, true) ? std::string_view() : octets_;
    }
    void rewind() noexcept override { given_ = false; }

  private:
    std::string_view octets_;
    bool given_ = false;
};

std::string author_of(const config::Config& config) {
    const auto mailbox = message::parse_single_mailbox(report_author(config));
    return mailbox ? mailbox->address() : "mailer-daemon@" + config.hostname;
}

Settled settled_of(const upstream::Outcome& outcome) {
    switch (outcome.verdict) {
        case Verdict::delivered: return Settled::delivered;
        case Verdict::failed: return Settled::failed;
        case Verdict::uncertain: return Settled::uncertain;
        case Verdict::deferred:
        case Verdict::misconfigured: break;
    }
    return is_upstream_trouble(outcome) ? Settled::held : Settled::deferred;
}

/// Bad news is left to the mail that is queued: a test may be with addresses that no mail has.
GateReport good_news(const upstream::SendReport& sent) {
    GateReport report = gate_report(sent.outcomes, false);
    const bool good =
        sent.outcomes.front().verdict == Verdict::delivered && report.signal == GateSignal::alive;
    return good ? report : GateReport{};
}

std::string words_of(const Denial& denial) {
    if (denial.lease) return denial.reason + " has not answered";
    if (denial.whose == Denial::Whose::message) return denial.reason;
    return "nothing is left of " + denial.reason;
}

}  // namespace

struct TestSender::Mail {
    base::MessageId id;
    smtp::Envelope envelope;
    std::string octets;
};

TestSender::TestSender(Parts parts, const config::Config& config)
    : parts_(std::move(parts)), hostname_(config.hostname), author_(author_of(config)) {}

asio::awaitable<TestReport> TestSender::send(Port& port, TestRequest request) {
    TestReport report{.upstream = explain::upstream(port, parts_.clock.mono(), parts_.clock.wall()),
                      .id = parts_.spool.next_id(),
                      .from = request.from.empty() ? author_ : std::move(request.from),
                      .to = std::move(request.to)};
    if (!port.begin_test()) {
        report.not_sent =
            fmt::format("another test of upstream {} is under way; try again when it has ended",
                        report.upstream.name);
        co_return report;
    }
    parts_.begun();
    GateReport gate;
    std::string error;
    try {
        gate = co_await attempt(port, write(report, request.subject), report);
    } catch (const std::exception& e) {
        error = e.what();
    }
    if (!error.empty()) {
        base::log::error("internal error",
                         {{"in", "send-test"}, {"id", report.id.text()}, {"what", error}});
        report.outcome.emplace().verdict = Verdict::uncertain;
        report.outcome->reply = smtp::own_words("an internal error, which the log has: " + error);
    }
    parts_.ended(port, gate);
    co_return report;
}

TestSender::Mail TestSender::write(const TestReport& report, std::string_view subject) const {
    const base::WallTime now = parts_.clock.wall();
    const std::string random = base::random_word();
    Mail mail{.id = report.id, .envelope = {}, .octets = {}};
    mail.octets = message::build_test_message({.id = report.id,
                                               .hostname = hostname_,
                                               .upstream = report.upstream.name,
                                               .from = report.from,
                                               .to = report.to,
                                               .subject = subject,
                                               .now = now,
                                               .random = random});
    mail.envelope.account = operator_account;
    mail.envelope.reverse_path = report.from;
    mail.envelope.recipients.push_back({.address = report.to, .notify = {}, .orcpt = {}});
    mail.envelope.smtputf8 = !base::is_ascii(report.from) || !base::is_ascii(report.to);
    if (message::has_eight_bit(mail.octets)) mail.envelope.body = smtp::BodyType::eight_bit_mime;
    mail.envelope.received = now;
    return mail;
}

/// Until `ready` is called, from any thread, or the time is over.
asio::awaitable<void> TestSender::wait(Start start, milliseconds at_most) {
    const auto timer = std::make_shared<asio::steady_timer>(parts_.executor, at_most);
    start([executor = parts_.executor, waiting = std::weak_ptr(timer)] {
        asio::post(executor, [waiting] {
            if (const auto still = waiting.lock()) still->cancel();
        });
    });
    co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
}

/// Stands first: whoever ends leaves it the place, not to the mail that waits.
asio::awaitable<bool> TestSender::place(Port& port) {
    const base::MonoTime end = parts_.clock.mono() + parts_.patience;
    while (!port.test_may_start()) {
        const base::MonoTime now = parts_.clock.mono();
        if (now >= end) co_return false;
        const Start start = [&port](std::function<void()> ready) {
            port.when_attempt_ends(std::move(ready));
        };
        co_await wait(start, std::chrono::ceil<milliseconds>(end - now));
    }
    co_return true;
}

asio::awaitable<std::expected<Permit, Denial>> TestSender::permit(const Mail& mail,
                                                                  PortIndex port) {
    spool::QueueEntry entry;
    entry.id = mail.id;
    entry.size = mail.octets.size();
    entry.recipients = entry.untried = 1;
    entry.priority = mail.envelope.priority;
    for (int asked = 0;; ++asked) {
        auto permit = parts_.picker.permit_for(entry, port);
        if (permit || !permit.error().lease || asked == most_leases) co_return permit;
        const Start start = [this, lease = *permit.error().lease](std::function<void()> ready) {
            parts_.limiter.when_leased(lease, std::move(ready));
        };
        co_await wait(start, lease_wait);
    }
}

asio::awaitable<GateReport> TestSender::attempt(Port& port, Mail mail, TestReport& report) {
    const bool free = co_await place(port);
    if (!free) {
        report.not_sent = fmt::format(
            "none of the {} deliveries that upstream {} may have at once (concurrency) has ended "
            "within {} s",
            port.concurrency(), report.upstream.name,
            duration_cast<std::chrono::seconds>(parts_.patience).count());
        co_return GateReport{};
    }
    const auto permit = co_await this->permit(mail, port.index());
    if (!permit) {
        report.not_sent = words_of(permit.error());
        if (permit.error().until != base::WallTime::max()) report.until = permit.error().until;
        co_return GateReport{};
    }
    const base::MonoTime started = parts_.clock.mono();
    port.test_started(started);
    MemoryBody body(mail.octets);
    constexpr std::array<std::uint32_t, 1> only{0};
    upstream::SendReport sent;
    std::exception_ptr failure;
    try {
        sent = co_await port.destination().transport->send({.id = mail.id,
                                                            .envelope = mail.envelope,
                                                            .recipients = only,
                                                            .body = body,
                                                            .one_transaction = true});
        if (sent.outcomes.size() != only.size())
            throw std::logic_error("a transport must return one outcome a recipient");
    } catch (...) {
        failure = std::current_exception();
    }
    // How far one that has failed within went is not known: it counts.
    const bool counts = failure || went_out(sent);
    parts_.picker.settle(*permit, counts ? SentPart{.recipients = 1, .first_time = 1} : SentPart{});
    if (failure) std::rethrow_exception(failure);
    report.took = duration_cast<microseconds>(parts_.clock.mono() - started);
    report.outcome = sent.outcomes.front();
    report.stages = sent.stages;
    record(port, mail, sent, report.took);
    co_return good_news(sent);
}

void TestSender::record(Port& port, const Mail& mail, const upstream::SendReport& sent,
                        microseconds took) {
    constexpr std::array<std::uint32_t, 1> only{0};
    const std::array settled{settled_of(sent.outcomes.front())};
    const spool::MessageState state = spool::untried(mail.envelope);
    const AttemptRecord record{.id = mail.id,
                               .envelope = mail.envelope,
                               .state = state,
                               .indices = only,
                               .settled = settled,
                               .report = sent,
                               .upstream = port.destination().name,
                               .took = took,
                               .test = true};
    log_attempt(record);
    port.destination().counts.add(record);
    parts_.history.attempt(record);
}

}  // namespace outpost::delivery
