#include "net/http_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>

#include "base/text.hpp"

namespace outpost::net {

namespace {

std::unexpected<HttpFailure> unfit(std::string text) {
    return std::unexpected(HttpFailure{.text = std::move(text)});
}

std::chrono::microseconds time_of(CURL* transfer, CURLINFO what) {
    curl_off_t value = 0;
    curl_easy_getinfo(transfer, what, &value);
    return std::chrono::microseconds(value);
}

long long_of(CURL* transfer, CURLINFO what) {
    long value = 0;
    curl_easy_getinfo(transfer, what, &value);
    return value;
}

/// Time that one stage took after another; zero for a stage that was skipped.
std::chrono::microseconds between(std::chrono::microseconds from, std::chrono::microseconds to) {
    return std::max(to - from, std::chrono::microseconds(0));
}

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string part_of(const Url& url, CURLUPart part) {
    char* text = nullptr;
    if (curl_url_get(url.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
    return text;
}

/// A line break in a field would be the start of another one.
bool fits_a_header(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

HttpCall::HttpCall(boost::asio::io_context& context, const HttpClient::Settings& settings,
                   HttpRequest request)
    : settings_(settings),
      request_(std::move(request)),
      transfer_(curl_easy_init()),
      over_(context, boost::asio::steady_timer::time_point::max()) {
    if (!transfer_) throw std::bad_alloc();
}

HttpCall& HttpCall::of(CURL* transfer) {
    void* call = nullptr;
    curl_easy_getinfo(transfer, CURLINFO_PRIVATE, &call);
    return *static_cast<HttpCall*>(call);
}

template <class Value>
void HttpCall::set(CURLoption option, Value value) {
    curl_easy_setopt(transfer_.get(), option, value);
}

std::expected<void, HttpFailure> HttpCall::prepare() {
    set(CURLOPT_PRIVATE, this);
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_NOSIGNAL, 1L);
    if (auto done = set_url(); !done) return done;
    if (auto done = set_headers(); !done) return done;
    set_method();
    set_network();
    set_tls();
    set(CURLOPT_WRITEFUNCTION, &HttpCall::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &HttpCall::on_header);
    set(CURLOPT_HEADERDATA, this);
    return {};
}

std::expected<void, HttpFailure> HttpCall::set_url() {
    const Url url(curl_url(), &curl_url_cleanup);
    if (!url || curl_url_set(url.get(), CURLUPART_URL, request_.url.c_str(), 0) != CURLUE_OK)
        return unfit("the request's URL is not one");
    const auto scheme = part_of(url, CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https")
        return unfit(fmt::format("a URL must begin with https:// or http://, not {}://", scheme));
    peer_ = part_of(url, CURLUPART_HOST) + ":" + part_of(url, CURLUPART_PORT);
    set(CURLOPT_URL, request_.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    return {};
}

std::expected<void, HttpFailure> HttpCall::set_headers() {
    bool typed = false;
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!fits_a_header(name) || !fits_a_header(value)) return false;
        typed = typed || base::iequals(name, "content-type");
        // `Name:` would take the field away.
        auto line = value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value);
        curl_slist* const longer = curl_slist_append(headers_.get(), line.c_str());
        explicit_bzero(line.data(), line.size());
        if (longer == nullptr) throw std::bad_alloc();
        (void)headers_.release();  // the list owns what was before it
        headers_.reset(longer);
        return true;
    };
    const auto bad = [](const std::string& name) {
        return unfit(fmt::format("the request's header field {} holds a line break",
                                 base::printable(name, 40)));
    };
    for (const auto& [name, value] : request_.headers)
        if (!add(name, value)) return bad(name);
    for (const auto& [name, value] : request_.secret_headers)
        if (!add(name, value.reveal())) return bad(name);
    const auto take_away = [&](const char* field) {
        headers_.reset(curl_slist_append(headers_.release(), field));
    };
    // curl would wait a second for a `100 Continue` that hardly any server sends.
    take_away("Expect:");
    if (!typed) take_away("Content-Type:");
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_USERAGENT, settings_.user_agent.c_str());
    return {};
}

void HttpCall::set_method() {
    if (request_.method == "GET" && request_.body.empty()) {
        set(CURLOPT_HTTPGET, 1L);
        return;
    }
    // By callback, not CURLOPT_POSTFIELDS: curl repeats those by itself when a kept connection
    // breaks before the answer, and a message would be sent twice. See on_seek().
    set(CURLOPT_POST, 1L);
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_READFUNCTION, &HttpCall::on_read);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_SEEKFUNCTION, &HttpCall::on_seek);
    set(CURLOPT_SEEKDATA, this);
}

void HttpCall::set_network() {
    set(CURLOPT_HTTP_VERSION,
        static_cast<long>(request_.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.connect_timeout.count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.total_timeout.count()));
    set(CURLOPT_TCP_NODELAY, 1L);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    // A lookup that is given up must not hold the thread until the name server has answered.
    set(CURLOPT_QUICK_EXIT, 1L);
    // Both always, or the environment decides.
    set(CURLOPT_PROXY, settings_.proxy.c_str());
    set(CURLOPT_NOPROXY, "");
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void HttpCall::set_tls() {
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (settings_.ca_bundle.empty()) return;
    set(CURLOPT_CAINFO, settings_.ca_bundle.c_str());
    set(CURLOPT_PROXY_CAINFO, settings_.ca_bundle.c_str());
    // Instead of the system's authorities, not beside them.
    set(CURLOPT_CAPATH, nullptr);
    set(CURLOPT_PROXY_CAPATH, nullptr);
}

std::size_t HttpCall::on_read(char* into, std::size_t size, std::size_t count, void* self) {
    auto& call = *static_cast<HttpCall*>(self);
    // A second pass without a rewind: a request without its body must not go out.
    if (call.handed_out_ == call.request_.body.size()) return CURL_READFUNC_ABORT;
    const auto part =
        std::string_view(call.request_.body).substr(call.handed_out_).substr(0, size * count);
    std::memcpy(into, part.data(), part.size());
    call.handed_out_ += part.size();
    return part.size();
}

/// curl asks for the body from its start when it is about to send the request once more over a
/// new connection. A server that has the whole body may have acted on it.
int HttpCall::on_seek(void* self, curl_off_t offset, int origin) {
    auto& call = *static_cast<HttpCall*>(self);
    if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
    if (call.handed_out_ == call.request_.body.size()) {
        call.second_pass_ = true;
        return CURL_SEEKFUNC_FAIL;
    }
    call.handed_out_ = 0;
    return CURL_SEEKFUNC_OK;
}

std::size_t HttpCall::on_body(const char* octets, std::size_t size, std::size_t count, void* self) {
    auto& call = *static_cast<HttpCall*>(self);
    auto& response = call.response_;
    const auto room = call.settings_.max_body - response.body.size();
    response.body.append(octets, std::min(size * count, room));
    response.truncated = response.truncated || size * count > room;
    return size * count;
}

std::size_t HttpCall::on_header(const char* octets, std::size_t size, std::size_t count,
                                void* self) {
    static_cast<HttpCall*>(self)->header_line(std::string_view(octets, size * count));
    return size * count;
}

void HttpCall::header_line(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    // Those of an interim answer (1xx) go with the status line of the next one.
    if (line.starts_with("HTTP/")) response_.headers.clear();
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || line.starts_with("HTTP/")) return;
    response_.headers.emplace_back(base::to_lower(base::trim(line.substr(0, colon))),
                                   base::trim(line.substr(colon + 1)));
}

void HttpCall::end(CURLcode code) {
    code_ = code;
    over_.cancel();
}

void HttpCall::abandon(std::string why) {
    abandoned_ = std::move(why);
    over_.cancel();
}

HttpClient::Result HttpCall::result() {
    if (code_ != CURLE_OK) return {.answer = std::unexpected(failure()), .stages = stages()};
    response_.status = static_cast<int>(long_of(transfer_.get(), CURLINFO_RESPONSE_CODE));
    return {.answer = std::move(response_), .stages = stages()};
}

HttpFailure HttpCall::failure() const {
    const bool whole = second_pass_ || handed_out_ == request_.body.size();
    // Without a body, the request is whole with its header section.
    const bool begun = long_of(transfer_.get(), CURLINFO_REQUEST_SIZE) > 0;
    return {.request_sent = whole && (begun || !request_.body.empty()),
            .timed_out = code_ == CURLE_OPERATION_TIMEDOUT,
            .text = failure_text()};
}

/// curl's own words only where they cannot hold a URL: that of a proxy may have a password in it.
std::string HttpCall::failure_text() const {
    if (!abandoned_.empty()) return fmt::format("{}: {}", peer_, abandoned_);
    const auto connect_code = long_of(transfer_.get(), CURLINFO_HTTP_CONNECTCODE);
    if (connect_code >= 300)
        return fmt::format("cannot connect to {}: the proxy answered CONNECT with {}", peer_,
                           connect_code);
    const auto number = static_cast<int>(long_of(transfer_.get(), CURLINFO_OS_ERRNO));
    const auto reason = [&] {
        return number != 0 ? std::system_category().message(number)
                           : std::string(curl_easy_strerror(*code_));
    };
    switch (*code_) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return fmt::format("cannot connect to {}: no address found for that name", peer_);
        case CURLE_COULDNT_RESOLVE_PROXY:
            return fmt::format("cannot connect to {}: the proxy's address cannot be found", peer_);
        case CURLE_COULDNT_CONNECT: return fmt::format("cannot connect to {}: {}", peer_, reason());
        case CURLE_OPERATION_TIMEDOUT: return timeout_text();
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
            return fmt::format("TLS with {}: {}", peer_,
                               error_[0] != '\0' ? error_.data() : curl_easy_strerror(*code_));
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_FAIL_REWIND:
            return fmt::format("{}: the connection was closed without an answer", peer_);
        default: return fmt::format("{}: {}", peer_, reason());
    }
}

std::string HttpCall::timeout_text() const {
    const bool connected =
        time_of(transfer_.get(), CURLINFO_PRETRANSFER_TIME_T) > std::chrono::microseconds(0);
    const auto limit = connected ? settings_.total_timeout
                                 : std::min(settings_.connect_timeout, settings_.total_timeout);
    return fmt::format("{} {} within {} s", connected ? "no answer from" : "no connection to",
                       peer_, std::chrono::duration<double>(limit).count());
}

HttpStages HttpCall::stages() const {
    CURL* const transfer = transfer_.get();
    HttpStages stages;
    const auto connected = time_of(transfer, CURLINFO_CONNECT_TIME_T);
    const auto encrypted = time_of(transfer, CURLINFO_APPCONNECT_TIME_T);
    const auto begun = time_of(transfer, CURLINFO_PRETRANSFER_TIME_T);
    stages.reused = begun.count() > 0 && long_of(transfer, CURLINFO_NUM_CONNECTS) == 0;
    if (!stages.reused) {
        stages.connect = connected;
        stages.tls = between(connected, encrypted);
    }
    if (begun.count() > 0)
        stages.transfer = between(begun, time_of(transfer, CURLINFO_TOTAL_TIME_T));
    const char* address = nullptr;
    curl_easy_getinfo(transfer, CURLINFO_PRIMARY_IP, &address);
    if (address != nullptr && *address != '\0')
        stages.remote = fmt::format("[{}]:{}", address, long_of(transfer, CURLINFO_PRIMARY_PORT));
    return stages;
}

}  // namespace outpost::net
