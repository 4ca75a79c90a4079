#include "upstream/api_transport.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/log.hpp"
#include "net/aws_signature.hpp"
#include "smtp/client_machine.hpp"
#include "upstream/api_message.hpp"
#include "upstream/deliver_by.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/ses.hpp"
#include "upstream/redaction.hpp"
#include "upstream/whole_body.hpp"

namespace outpost::upstream {

namespace {

using boost::asio::awaitable;
using std::chrono::duration_cast;
using std::chrono::microseconds;

/// Up to here a message is dealt with at once: handing it to another thread costs more.
constexpr std::uint64_t small = 64ULL * 1024;
/// Calls of one send. What became of their recipients is recorded when it ends, and until then a
/// crash would have them made again.
constexpr std::size_t most_calls = 20;
/// Messages whose recipients go one by one, to be remembered.
constexpr std::size_t most_alone = 1000;

Outcome of_kind(Verdict verdict, Scope scope, std::string words) {
    Outcome outcome;
    outcome.verdict = verdict;
    outcome.scope = scope;
    outcome.reply = smtp::own_words(std::move(words));
    return outcome;
}

Outcome no_answer(const net::HttpFailure& failure) {
    return of_kind(failure.request_sent ? Verdict::uncertain : Verdict::deferred, Scope::upstream,
                   failure.text);
}

Outcome busy() {
    return of_kind(Verdict::deferred, Scope::message, "too many messages wait to be worked on");
}

/// `api.example.com` of a URL.
std::string host_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find('/'));
    const auto end = url.starts_with('[') ? url.find(']') + 1 : url.find(':');
    return std::string(url.substr(0, end));
}

net::AwsSignature signature(AwsKeys keys, const std::string& region) {
    return {.region = region,
            .service = "ses",
            .access_key_id = std::move(keys.access_key_id),
            .secret_access_key = std::move(keys.secret_access_key),
            .session_token = std::move(keys.session_token)};
}

AwsKeys keys_of(const net::AwsSignature& used) {
    return {.access_key_id = used.access_key_id,
            .secret_access_key = used.secret_access_key,
            .session_token = used.session_token,
            .expires = {}};
}

Outcome no_keys(const AwsFailure& failure) {
    return of_kind(failure.passing ? Verdict::deferred : Verdict::misconfigured, Scope::upstream,
                   failure.text);
}

Redaction secrets_of(const ProviderSettings& account) {
    Redaction redaction;
    redaction.add(account.api_key);
    redaction.add(account.api_secret);
    if (account.aws) {
        redaction.add(account.aws->secret_access_key);
        redaction.add(account.aws->session_token);
    }
    return redaction;
}

/// What a request carries: a whole field (`Bearer KEY`), and what is secret in it.
void add_secrets_of(const net::HttpRequest& request, Redaction& redaction) {
    for (const auto& [name, value] : request.secret_headers) {
        const auto text = value.reveal();
        redaction.add(value);
        if (const auto space = text.find(' '); space != std::string_view::npos)
            redaction.add(base::Secret(std::string(text.substr(space + 1))));
    }
}

}  // namespace

/// One call and all it is made of: shared with a thread that builds its request.
struct ApiTransport::Call {
    std::shared_ptr<const PreparedMessage> message;
    std::string id;
    std::string reverse_path;
    std::vector<std::string> recipients;
    ProviderSettings account;
    std::string key{};

    [[nodiscard]] ApiMessage view() const {
        return {.id = id,
                .reverse_path = reverse_path,
                .recipients = recipients,
                .raw = message->raw,
                .content = message->content ? &*message->content : nullptr,
                .idempotency_key = key};
    }
};

std::expected<net::HttpRequest, Outcome> ApiTransport::build(const Provider& provider, Call& call,
                                                             base::WallTime now) {
    call.key = idempotency_key(call.id, call.reverse_path + '\n' + call.account.return_path,
                               call.recipients, call.message->raw);
    auto request = build_request(provider, call.account, call.view());
    if (request && request->sign) net::sign_for_aws(*request, now);
    return request;
}

/// One send: the recipients by their place in the report.
struct ApiTransport::Attempt {
    Delivery delivery;
    SendReport report;
    std::shared_ptr<const PreparedMessage> message{};
    std::vector<std::string> addresses{};  ///< as the provider wants them
    std::vector<std::uint32_t> pending{};  ///< without an outcome, in order

    explicit Attempt(const Delivery& what) : delivery(what) {
        report.outcomes.resize(what.recipients.size());
        addresses.resize(what.recipients.size());
        for (std::uint32_t place = 0; place < what.recipients.size(); ++place)
            pending.push_back(place);
    }
    void settle(std::uint32_t place, Outcome outcome) {
        std::erase(pending, place);
        report.outcomes[place] = std::move(outcome);
    }
    void settle_all(const Outcome& outcome) {
        for (const auto place : pending) report.outcomes[place] = outcome;
        pending.clear();
    }
};

/// What came of a call, and what must not be shown of it.
struct ApiTransport::Exchange {
    std::expected<net::HttpResponse, net::HttpFailure> answer;
    net::HttpStages stages;
    Redaction redaction;
    std::string remote;
};

ApiTransport::ApiTransport(Settings settings)
    : settings_(std::move(settings)),
      host_(host_of(settings_.account.endpoint)),
      client_(std::make_shared<net::HttpClient>(settings_.context, settings_.http)) {
    if (!settings_.aws) return;
    auto sources = *settings_.aws;
    if (!sources.internet) sources.internet = client_;
    if (!sources.local) {
        constexpr std::chrono::seconds near{1};
        sources.local = std::make_shared<net::HttpClient>(
            settings_.context,
            net::HttpClient::Settings{
                .proxy = {}, .ca_bundle = {}, .connect_timeout = near, .total_timeout = near});
    }
    credentials_ =
        std::make_unique<AwsCredentials>(settings_.context, settings_.clock, std::move(sources));
}

/// Nothing if too much work waits.
template <class Work>
auto ApiTransport::compute(std::uint64_t octets, Work work)
    -> awaitable<std::optional<std::invoke_result_t<Work&>>> {
    if (octets <= small) co_return work();
    co_return co_await settings_.pool.run(std::move(work));
}

awaitable<SendReport> ApiTransport::send(Delivery delivery) {
    Attempt attempt(delivery);
    if (const auto outcome = co_await prepare(attempt))
        attempt.settle_all(*outcome);
    else
        co_await call_all(attempt);
    co_return std::move(attempt.report);
}

/// Makes message and addresses fit the provider. The outcome for all, if the message cannot go out.
awaitable<std::optional<Outcome>> ApiTransport::prepare(Attempt& attempt) {
    const auto& envelope = attempt.delivery.envelope;
    if (auto within = deliver_within(envelope.deliver_by, std::nullopt, settings_.clock.wall());
        !within)
        co_return std::move(within.error());
    auto stored = co_await read_whole(attempt.delivery.body);
    if (!stored) co_return of_kind(Verdict::deferred, Scope::message, std::move(stored.error()));
    const auto size = stored->size();
    auto work = [provider = &settings_.provider, text = std::move(*stored),
                 binary = envelope.body == smtp::BodyType::binary_mime] {
        return prepare_message(*provider, text, binary);
    };
    auto prepared = co_await compute(size, std::move(work));
    if (!prepared) co_return busy();
    if (!*prepared) co_return std::move(prepared->error());
    attempt.message = std::make_shared<const PreparedMessage>(std::move(**prepared));
    for (const auto place : std::vector(attempt.pending)) {
        const auto& recipient = envelope.recipients[attempt.delivery.recipients[place]];
        auto address = api_address(settings_.provider, recipient.address);
        if (address)
            attempt.addresses[place] = std::move(*address);
        else
            attempt.settle(place, std::move(address.error()));
    }
    co_return refused_.find(attempt.message->author, settings_.clock.wall());
}

std::deque<ApiTransport::Places> ApiTransport::plan(const Attempt& attempt) const {
    std::deque<Places> calls;
    if (alone_.contains(attempt.delivery.id)) {
        for (const auto place : attempt.pending) calls.push_back({place});
        return calls;
    }
    std::vector<std::string> recipients;
    for (const auto place : attempt.pending) recipients.push_back(attempt.addresses[place]);
    for (const auto& part : split_recipients(settings_.provider, *attempt.message, recipients)) {
        auto& call = calls.emplace_back();
        for (const auto index : part) call.push_back(attempt.pending[index]);
    }
    return calls;
}

awaitable<void> ApiTransport::call_all(Attempt& attempt) {
    auto calls = plan(attempt);
    for (std::size_t made = 1; !calls.empty(); ++made) {
        const auto places = std::move(calls.front());
        calls.pop_front();
        auto outcomes = co_await call_for(attempt, places);
        std::optional<Outcome> stop;
        bool one_by_one = false;
        for (std::size_t i = places.size(); i-- > 0;) {
            if (places.size() > 1 && api::wants_single_calls(outcomes[i])) {
                one_by_one = true;
                calls.push_front({places[i]});
                continue;
            }
            if (!stop) stop = for_the_rest(outcomes[i]);
            attempt.settle(places[i], std::move(outcomes[i]));
        }
        if (one_by_one) remember_alone(attempt.delivery.id);
        const bool enough = attempt.delivery.one_transaction || made == most_calls;
        if (enough && !stop) stop.emplace().untried = true;
        if (stop) co_return attempt.settle_all(*stop);
    }
}

/// The next send of the rest would make the same call for all again.
void ApiTransport::remember_alone(base::MessageId id) {
    if (alone_.size() >= most_alone) alone_.clear();
    alone_.insert(id);
}

/// Makes one call; the outcomes of its recipients, in order.
awaitable<std::vector<Outcome>> ApiTransport::call_for(Attempt& attempt, const Places& places) {
    const auto call =
        std::make_shared<Call>(Call{.message = attempt.message,
                                    .id = attempt.delivery.id.text(),
                                    .reverse_path = attempt.delivery.envelope.reverse_path,
                                    .recipients = {},
                                    .account = settings_.account});
    for (const auto place : places) call->recipients.push_back(attempt.addresses[place]);
    const auto for_all = [&](const Outcome& outcome) {
        return api::for_all(places.size(), outcome);
    };
    if (credentials_) {
        auto keys = co_await credentials_->get();
        if (!keys) co_return for_all(no_keys(keys.error()));
        call->account.aws = signature(std::move(*keys), settings_.aws->region);
    }
    auto made = co_await make_call(attempt.report, call);
    if (credentials_ && made && made->answer && is_expired_token(*made->answer)) {
        auto keys = co_await credentials_->replace(keys_of(*call->account.aws));
        if (!keys) co_return for_all(no_keys(keys.error()));
        call->account.aws = signature(std::move(*keys), settings_.aws->region);
        made = co_await make_call(attempt.report, call);
    }
    if (!made) co_return for_all(made.error());
    const auto now = settings_.clock.wall();
    auto outcomes = made->answer ? settings_.provider.outcomes(*made->answer, call->view(), now)
                                 : for_all(no_answer(made->answer.error()));
    for (auto& outcome : outcomes) {
        outcome.remote = made->remote;
        made->redaction.apply(outcome.reply);
        if (outcome.verdict == Verdict::deferred && outcome.scope == Scope::sender)
            refused_.refuse(attempt.message->author, outcome, now);
        if (outcome.alert) give_alert(outcome);
    }
    co_return outcomes;
}

/// The error is the outcome where no call could be made.
awaitable<std::expected<ApiTransport::Exchange, Outcome>> ApiTransport::make_call(
    SendReport& report, std::shared_ptr<Call> call) {
    auto work = [provider = &settings_.provider, call, now = settings_.clock.wall()] {
        return build(*provider, *call, now);
    };
    auto request = co_await compute(call->message->raw.size(), std::move(work));
    if (!request) co_return std::unexpected(busy());
    if (!*request) co_return std::unexpected(std::move(request->error()));
    auto exchange = co_await send_request(std::move(**request), call->account);
    report.stages.connect += exchange.stages.connect;
    report.stages.greeting += exchange.stages.tls;
    report.stages.transfer += exchange.stages.transfer;
    report.reused = exchange.stages.reused;
    co_return exchange;
}

awaitable<ApiTransport::Exchange> ApiTransport::send_request(net::HttpRequest request,
                                                             const ProviderSettings& account) {
    auto redaction = secrets_of(account);
    add_secrets_of(request, redaction);
    auto result = co_await client_->call(std::move(request));
    auto remote = result.stages.remote.empty() ? std::string()
                                               : fmt::format("{} {}", host_, result.stages.remote);
    co_return Exchange{.answer = std::move(result.answer),
                       .stages = std::move(result.stages),
                       .redaction = std::move(redaction),
                       .remote = std::move(remote)};
}

void ApiTransport::give_alert(const Outcome& outcome) {
    const auto reason = outcome.reply.text();
    if (!alerts_.is_due(reason, settings_.clock.wall())) return;
    base::log::error("needs attention", {{"upstream", settings_.name}, {"reason", reason}});
}

awaitable<std::expected<void, std::string>> ApiTransport::probe() {
    auto account = settings_.account;
    if (credentials_) {
        auto keys = co_await credentials_->get();
        if (!keys) co_return std::unexpected(std::move(keys.error().text));
        account.aws = signature(std::move(*keys), settings_.aws->region);
    }
    auto request = settings_.provider.probe(account);
    if (request.sign) net::sign_for_aws(request, settings_.clock.wall());
    auto exchange = co_await send_request(std::move(request), account);
    if (!exchange.answer) co_return std::unexpected(std::move(exchange.answer.error().text));
    const auto& answer = *exchange.answer;
    if (answer.status >= 200 && answer.status < 300) co_return std::expected<void, std::string>{};
    const std::vector<std::string> nobody{"nobody@invalid"};
    ApiMessage message{};
    message.recipients = nobody;
    auto outcome = settings_.provider.outcomes(answer, message, settings_.clock.wall()).front();
    // One who knows us may say that there is no message in it.
    if (outcome.verdict == Verdict::failed) co_return std::expected<void, std::string>{};
    exchange.redaction.apply(outcome.reply);
    co_return std::unexpected(exchange.remote + ": " + outcome.reply.text());
}

awaitable<void> ApiTransport::close() {
    co_return;
}

}  // namespace outpost::upstream
