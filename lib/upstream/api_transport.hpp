#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "net/http_client.hpp"
#include "net/offload.hpp"
#include "upstream/aws_credentials.hpp"
#include "upstream/provider/provider.hpp"
#include "upstream/refused_senders.hpp"
#include "upstream/transport.hpp"

namespace outpost::upstream {

/// Sends through an email provider's HTTP API: what the request and its answer are is the
/// Provider's part, all else is done here. Nothing of RFC 3461 can be asked of it.
class ApiTransport final : public Transport {
  public:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    struct Settings {
        boost::asio::io_context& context;
        net::OffloadPool& pool;
        const base::Clock& clock;
        std::string name;  ///< of the upstream, for the log
        const Provider& provider;
        ProviderSettings account;  ///< `aws` is filled in for each call
        net::HttpClient::Settings http;
        std::optional<AwsSources> aws;  ///< SES; its clients are made here unless they are given
    };

    explicit ApiTransport(Settings settings);

    awaitable<SendReport> send(Delivery delivery) override;
    /// Whether the provider knows our key.
    awaitable<std::expected<void, std::string>> probe() override;
    awaitable<void> close() override;

  private:
    using Places = std::vector<std::uint32_t>;
    struct Attempt;
    struct Call;
    struct Exchange;

    template <class Work>
    auto compute(std::uint64_t octets, Work work)
        -> awaitable<std::optional<std::invoke_result_t<Work&>>>;
    static std::expected<net::HttpRequest, Outcome> build(const Provider& provider, Call& call,
                                                          base::WallTime now);
    awaitable<std::optional<Outcome>> prepare(Attempt& attempt);
    [[nodiscard]] std::deque<Places> plan(const Attempt& attempt) const;
    awaitable<void> call_all(Attempt& attempt);
    awaitable<std::vector<Outcome>> call_for(Attempt& attempt, const Places& places);
    awaitable<std::expected<Exchange, Outcome>> make_call(SendReport& report,
                                                          std::shared_ptr<Call> call);
    awaitable<Exchange> send_request(net::HttpRequest request, const ProviderSettings& account);
    void remember_alone(base::MessageId id);
    void give_alert(const Outcome& outcome);

    Settings settings_;
    std::string host_;
    std::shared_ptr<net::HttpClient> client_;
    std::unique_ptr<AwsCredentials> credentials_;
    RefusedSenders refused_;
    RecentAlerts alerts_;
    std::set<base::MessageId> alone_;  ///< whose recipients go one by one
};

}  // namespace outpost::upstream
