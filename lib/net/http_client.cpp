#include "net/http_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>
#include <utility>

#include "base/clock.hpp"
#include "net/aws_signature.hpp"
#include "net/curl_multi.hpp"
#include "net/http_call.hpp"

namespace outpost::net {

namespace asio = boost::asio;

class HttpClient::Impl {
  public:
    Impl(asio::io_context& context, Settings settings)
        : context_(context),
          settings_(std::move(settings)),
          multi_(std::make_shared<CurlMulti>(
              context, settings_.max_connections,
              [](CURL* transfer, CURLcode code) { HttpCall::of(transfer).end(code); })) {}

    void close() {
        closed_ = true;
        while (!calls_.empty()) give_up(**calls_.begin(), "the client was shut down");
        multi_.reset();
    }

    static asio::awaitable<Result> call(std::shared_ptr<Impl> self, HttpRequest request) {
        if (request.sign) sign_for_aws(request, base::SystemClock().wall());
        HttpCall call(self->context_, self->settings_, std::move(request));
        if (const auto fit = call.prepare(); !fit)
            co_return Result{.answer = std::unexpected(fit.error()), .stages = {}};
        const Active active(*self, call);
        if (!call.is_over()) co_await call.over().async_wait(asio::as_tuple(asio::use_awaitable));
        if (!call.is_over()) self->give_up(call, "the call was cancelled");
        co_return call.result();
    }

  private:
    /// A call that curl works on, until it is over or its coroutine goes away.
    class Active {
      public:
        Active(Impl& client, HttpCall& call) : client_(client), call_(call) {
            if (client_.closed_) {
                call_.abandon("the client was shut down");
            } else if (const auto code = client_.multi_->add(call_.transfer()); code != CURLM_OK) {
                call_.abandon(curl_multi_strerror(code));
            } else {
                client_.calls_.insert(&call_);
            }
        }
        ~Active() {
            if (call_.is_over())
                client_.calls_.erase(&call_);
            else
                client_.give_up(call_, "the call was cancelled");
        }
        Active(const Active&) = delete;
        Active& operator=(const Active&) = delete;

      private:
        Impl& client_;
        HttpCall& call_;
    };

    void give_up(HttpCall& call, std::string why) {
        calls_.erase(&call);
        // One that has ended by itself and was not looked at yet keeps its result.
        if (call.is_over()) return;
        multi_->remove(call.transfer());
        call.abandon(std::move(why));
    }

    asio::io_context& context_;
    Settings settings_;
    std::shared_ptr<CurlMulti> multi_;
    std::set<HttpCall*> calls_;
    bool closed_ = false;
};

HttpClient::HttpClient(asio::io_context& context, Settings settings)
    : impl_(std::make_shared<Impl>(context, std::move(settings))) {}

HttpClient::~HttpClient() {
    impl_->close();
}

asio::awaitable<HttpClient::Result> HttpClient::call(HttpRequest request) {
    return Impl::call(impl_, std::move(request));
}

}  // namespace outpost::net
