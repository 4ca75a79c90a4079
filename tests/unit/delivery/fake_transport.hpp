#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "upstream/transport.hpp"

namespace outpost::delivery::testing {

inline upstream::Outcome outcome(upstream::Verdict verdict, int code = 0, std::string words = "",
                                 upstream::Scope scope = upstream::Scope::recipient) {
    upstream::Outcome result;
    result.verdict = verdict;
    result.scope = scope;
    result.reply.code = code;
    result.reply.lines.push_back(words.empty() ? "said nothing" : std::move(words));
    if (code != 0) result.remote = "mx.example.net [192.0.2.25]:25";
    return result;
}
inline upstream::Outcome delivered() {
    return outcome(upstream::Verdict::delivered, 250, "Ok");
}
inline upstream::Outcome refused() {
    return outcome(upstream::Verdict::failed, 550, "No such user");
}
inline upstream::Outcome deferred() {
    return outcome(upstream::Verdict::deferred, 450, "Mailbox busy");
}
inline upstream::Outcome unreachable() {
    return outcome(upstream::Verdict::deferred, 0, "connection refused", upstream::Scope::upstream);
}
inline upstream::Outcome throttled() {
    return outcome(upstream::Verdict::deferred, 421, "Too much", upstream::Scope::upstream);
}
inline upstream::Outcome login_refused() {
    return outcome(upstream::Verdict::misconfigured, 535, "Bad password",
                   upstream::Scope::upstream);
}
/// At RCPT: the server may want a login for that recipient only.
inline upstream::Outcome login_wanted() {
    return outcome(upstream::Verdict::misconfigured, 530, "Log in first",
                   upstream::Scope::recipient);
}
inline upstream::Outcome lost() {
    return outcome(upstream::Verdict::uncertain, 0, "connection lost", upstream::Scope::message);
}

/// A transport whose answers the test writes.
class FakeTransport final : public upstream::Transport {
  public:
    explicit FakeTransport(const boost::asio::any_io_executor& executor)
        : released_(executor, boost::asio::steady_timer::time_point::max()) {}

    struct Sent {
        base::MessageId id;
        std::vector<std::string> recipients;
    };

    boost::asio::awaitable<upstream::SendReport> send(upstream::Delivery delivery) override {
        Sent one{.id = delivery.id, .recipients = {}};
        for (const auto index : delivery.recipients)
            one.recipients.push_back(delivery.envelope.recipients[index].address);
        sent.push_back(one);
        ++active;
        most_active = std::max(most_active, active);
        while (hold)
            co_await released_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        --active;
        upstream::SendReport report;
        report.dsn_relayed = offers_dsn;
        report.deliver_by_relayed = offers_deliver_by;
        report.stages.transfer = transfer;
        for (const auto& recipient : one.recipients)
            report.outcomes.push_back(answer(one.id, recipient));
        co_return report;
    }
    boost::asio::awaitable<std::expected<void, std::string>> probe() override {
        ++probes;
        co_return probe_answer;
    }
    boost::asio::awaitable<void> close() override {
        closed = true;
        co_return;
    }
    void release() {
        hold = false;
        released_.cancel();
    }

    std::function<upstream::Outcome(base::MessageId, const std::string&)> answer =
        [](base::MessageId, const std::string&) { return delivered(); };
    void always(upstream::Outcome one) {
        answer = [one = std::move(one)](base::MessageId, const std::string&) { return one; };
    }
    bool hold = false;  ///< sends wait for release()
    bool offers_dsn = false;
    bool offers_deliver_by = false;
    std::chrono::microseconds transfer{};  ///< how long each transaction takes; 0: none begins
    std::vector<Sent> sent;
    int active = 0;
    int most_active = 0;
    int probes = 0;
    std::expected<void, std::string> probe_answer;
    bool closed = false;

  private:
    boost::asio::steady_timer released_;
};

}  // namespace outpost::delivery::testing
