#pragma once

#include <curl/curl.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"
#include "net/http_client.hpp"

namespace outpost::net {

/// One call of an HttpClient: the request as curl's options, the answer as curl's callbacks bring
/// it, and what it came to. Not movable: curl points to it.
class HttpCall {
  public:
    HttpCall(boost::asio::io_context& context, const HttpClient::Settings& settings,
             HttpRequest request);
    HttpCall(const HttpCall&) = delete;
    HttpCall& operator=(const HttpCall&) = delete;

    /// Sets curl's options. The error says what is wrong with the request itself.
    [[nodiscard]] std::expected<void, HttpFailure> prepare();
    [[nodiscard]] CURL* transfer() const noexcept { return transfer_.get(); }
    [[nodiscard]] static HttpCall& of(CURL* transfer);

    /// The transfer is over; wakes who waits for `over`.
    void end(CURLcode code);
    /// It is given up before its end.
    void abandon(std::string why);
    [[nodiscard]] bool is_over() const noexcept { return code_ || !abandoned_.empty(); }
    /// Never expires; cancelled at the end.
    [[nodiscard]] boost::asio::steady_timer& over() noexcept { return over_; }

    [[nodiscard]] HttpClient::Result result();

  private:
    struct Cleanup {
        void operator()(CURL* transfer) const noexcept { curl_easy_cleanup(transfer); }
        void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
    };

    static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self);
    static int on_seek(void* self, curl_off_t offset, int origin);
    static std::size_t on_body(const char* octets, std::size_t size, std::size_t count, void* self);
    static std::size_t on_header(const char* octets, std::size_t size, std::size_t count,
                                 void* self);

    template <class Value>
    void set(CURLoption option, Value value);
    [[nodiscard]] std::expected<void, HttpFailure> set_url();
    [[nodiscard]] std::expected<void, HttpFailure> set_headers();
    void set_method();
    void set_network();
    void set_tls();
    void header_line(std::string_view line);
    [[nodiscard]] HttpFailure failure() const;
    [[nodiscard]] std::string failure_text() const;
    [[nodiscard]] std::string timeout_text() const;
    [[nodiscard]] HttpStages stages() const;

    const HttpClient::Settings& settings_;
    HttpRequest request_;
    std::unique_ptr<CURL, Cleanup> transfer_;
    std::unique_ptr<curl_slist, Cleanup> headers_;
    boost::asio::steady_timer over_;
    std::array<char, CURL_ERROR_SIZE> error_{};
    std::string peer_;            ///< `api.example.com:443`
    std::size_t handed_out_ = 0;  ///< octets of the request's body that curl has taken
    bool second_pass_ = false;    ///< curl wanted to send again what was sent whole
    HttpResponse response_;
    std::optional<CURLcode> code_;
    std::string abandoned_;
};

}  // namespace outpost::net
