#include "upstream/fake_upstream.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <stdexcept>

#include "net/spawn.hpp"

namespace outpost::upstream::test {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

struct FakeUpstream::Peer {
    net::Stream stream;
    std::shared_ptr<net::TlsServer> tls;
    std::shared_ptr<State> state;
    Script script;
    std::size_t at = 0;
    std::string input;

    Peer(asio::io_context& context, tcp::socket socket) : stream(context, std::move(socket)) {}

    void problem(const std::string& what) {
        state->problems.push_back(
            fmt::format("at step {} ({}): {}", at, at < script.size() ? script[at] : "end", what));
    }
    asio::awaitable<bool> fill() {
        std::array<char, 65536> buffer;
        auto count = co_await stream.read_some(buffer);
        if (!count) co_return false;
        input.append(buffer.data(), *count);
        co_return true;
    }
    /// Everything up to and with `mark`; nothing if the client hangs up before.
    asio::awaitable<std::string> read_to(std::string mark) {
        for (;;) {
            if (const auto found = input.find(mark); found != std::string::npos) {
                auto result = input.substr(0, found + mark.size());
                input.erase(0, result.size());
                co_return result;
            }
            const bool more = co_await fill();
            if (!more) co_return std::string();
        }
    }
    asio::awaitable<bool> step() {
        const auto& text = script[at];
        if (text.starts_with("C: ")) {
            auto line = co_await read_to("\r\n");
            if (line == text.substr(3) + "\r\n") co_return true;
            problem("the client sent " + line);
            co_return false;
        }
        if (text == "BODY") {
            auto body = co_await read_to("\r\n.\r\n");
            if (body.empty()) problem("no whole body came");
            state->bodies.push_back(std::move(body));
            co_return true;
        }
        if (text.starts_with("CHUNK ")) {
            const auto size = std::stoul(text.substr(6));
            bool more = true;
            while (more && input.size() < size) more = co_await fill();
            if (!more) problem("the chunk was cut short");
            state->bodies.push_back(input.substr(0, size));
            input.erase(0, size);
            co_return more;
        }
        if (text == "TLS") {
            auto done = co_await stream.handshake(tls);
            co_return done.has_value();
        }
        if (text == "RESET") {
            // close() with octets unread makes the kernel send RST.
            (void)co_await fill();
            co_return false;
        }
        if (text == "GONE") {
            const bool more = co_await fill();
            if (more) problem("the client sent " + input);
            co_return false;
        }
        problem("no such step");
        co_return false;
    }
    asio::awaitable<bool> speak() {
        std::string output;
        for (; at < script.size(); ++at) {
            if (script[at].starts_with("S: ")) {
                output += script[at].substr(3) + "\r\n";
            } else if (script[at].starts_with("RAW ")) {
                output += script[at].substr(4);
            } else {
                break;
            }
        }
        if (output.empty()) co_return true;
        auto written = co_await stream.write(output);
        co_return written.has_value();
    }
};

FakeUpstream::FakeUpstream(asio::io_context& context, std::shared_ptr<net::TlsServer> tls)
    : context_(context),
      acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      tls_(std::move(tls)) {
    net::spawn(context.get_executor(), accept(), "fake upstream");
}

FakeUpstream::~FakeUpstream() {
    stop();
}

std::uint16_t FakeUpstream::port() const {
    return acceptor_.local_endpoint().port();
}

void FakeUpstream::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

std::string FakeUpstream::problems() const {
    std::string result;
    for (const auto& each : state_->problems) result += each + "\n";
    if (!scripts_.empty()) result += fmt::format("{} scripts were not played\n", scripts_.size());
    return result;
}

asio::awaitable<void> FakeUpstream::accept() {
    for (;;) {
        auto [error, socket] = co_await acceptor_.async_accept(use_tuple);
        if (error) co_return;
        auto peer = std::make_shared<Peer>(context_, std::move(socket));
        peer->tls = tls_;
        peer->state = state_;
        ++state_->connections;
        if (scripts_.empty()) {
            peer->problem("a connection without a script");
            continue;
        }
        peer->script = std::move(scripts_.front());
        scripts_.pop_front();
        net::spawn(context_.get_executor(), serve(peer), "fake upstream's peer");
    }
}

asio::awaitable<void> FakeUpstream::serve(std::shared_ptr<Peer> peer) {
    while (peer->at < peer->script.size()) {
        const bool spoken = co_await peer->speak();
        if (!spoken) break;
        if (peer->at == peer->script.size()) break;
        const bool went_on = co_await peer->step();
        if (!went_on) break;
        ++peer->at;
    }
    peer->stream.close();
}

SelfSigned make_self_signed() {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                  &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_sign(certificate.get(), key.get(), EVP_sha256());

    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    X509_digest(certificate.get(), EVP_sha256(), digest.data(), &length);
    SelfSigned result;
    for (unsigned i = 0; i < length; ++i) result.sha256 += fmt::format("{:02x}", digest[i]);

    std::string directory = (std::filesystem::temp_directory_path() / "outpost-XXXXXX").string();
    if (mkdtemp(directory.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    const net::CertificateFiles files{directory + "/cert.pem", directory + "/key.pem"};
    std::FILE* file = std::fopen(files.certificate.c_str(), "w");
    PEM_write_X509(file, certificate.get());
    std::fclose(file);
    file = std::fopen(files.key.c_str(), "w");
    PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    auto server = net::TlsServer::load({&files, 1}, false);
    std::filesystem::remove_all(directory);
    if (!server) throw std::runtime_error(server.error());
    result.server = std::move(*server);
    return result;
}

}  // namespace outpost::upstream::test
