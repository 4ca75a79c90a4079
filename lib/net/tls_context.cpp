#include "net/tls_context.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <filesystem>
#include <system_error>

namespace outpost::net {

namespace asio = boost::asio;

namespace {

/// OpenSSL's first complaint in words, and an empty error queue.
std::string openssl_reason() {
    const unsigned long code = ERR_peek_error();
    const char* reason = ERR_reason_error_string(code);
    ERR_clear_error();
    return reason != nullptr ? reason : "unknown error";
}

std::string readable(const std::string& file) {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return "no such file";
    return openssl_reason();
}

std::expected<std::unique_ptr<asio::ssl::context>, std::string> load_one(
    const CertificateFiles& files, bool only_tls13) {
    auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX* ctx = context->native_handle();
    ERR_clear_error();
    SSL_CTX_set_min_proto_version(ctx, only_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    // One ticket suffices a client that reconnects for each message, and is less to send.
    SSL_CTX_set_num_tickets(ctx, 1);
    static constexpr unsigned char session_scope[] = "outpost";
    SSL_CTX_set_session_id_context(ctx, session_scope, sizeof session_scope - 1);
    if (SSL_CTX_use_certificate_chain_file(ctx, files.certificate.c_str()) != 1)
        return std::unexpected(
            fmt::format("certificate {}: {}; give a PEM file with the "
                        "certificate followed by its chain",
                        files.certificate, readable(files.certificate)));
    if (SSL_CTX_use_PrivateKey_file(ctx, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
        return std::unexpected(
            fmt::format("key {}: {}; give the unencrypted PEM key that belongs "
                        "to {}",
                        files.key, readable(files.key), files.certificate));
    if (SSL_CTX_check_private_key(ctx) != 1)
        return std::unexpected(fmt::format("key {} does not belong to certificate {}: {}",
                                           files.key, files.certificate, openssl_reason()));
    return context;
}

std::chrono::sys_seconds expiry_of(asio::ssl::context& context) {
    std::tm fields{};
    const X509* certificate = SSL_CTX_get0_certificate(context.native_handle());
    ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &fields);
    return std::chrono::sys_seconds(std::chrono::seconds(timegm(&fields)));
}

}  // namespace

/// Picks the context whose certificate covers the name in the client's SNI.
int choose_certificate(void* ssl, int* /*alert*/, void* server) {
    auto* connection = static_cast<SSL*>(ssl);
    const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    for (const auto& context : static_cast<TlsServer*>(server)->contexts_) {
        X509* certificate = SSL_CTX_get0_certificate(context->native_handle());
        if (X509_check_host(certificate, name, 0, 0, nullptr) == 1) {
            SSL_set_SSL_CTX(connection, context->native_handle());
            return SSL_TLSEXT_ERR_OK;
        }
    }
    // An unknown name gets the first certificate: mail clients often use an alias of the host.
    return SSL_TLSEXT_ERR_NOACK;
}

std::expected<std::shared_ptr<TlsServer>, std::string> TlsServer::load(
    std::span<const CertificateFiles> certificates, bool only_tls13) {
    auto server = std::make_shared<TlsServer>();
    for (const auto& files : certificates) {
        auto context = load_one(files, only_tls13);
        if (!context) return std::unexpected(context.error());
        server->certificates_.push_back({files.certificate, expiry_of(**context)});
        server->contexts_.push_back(std::move(*context));
    }
    if (server->contexts_.empty()) return std::unexpected("no certificate is given");
    SSL_CTX* first = server->contexts_.front()->native_handle();
    SSL_CTX_set_tlsext_servername_callback(
        first,
        +[](SSL* ssl, int* alert, void* self) { return choose_certificate(ssl, alert, self); });
    SSL_CTX_set_tlsext_servername_arg(first, server.get());
    return server;
}

std::expected<std::shared_ptr<TlsClient>, std::string> TlsClient::make(Verify verify,
                                                                       std::string sha256) {
    std::shared_ptr<TlsClient> client(new TlsClient);
    client->verify_ = verify;
    client->sha256_ = std::move(sha256);
    SSL_CTX* ctx = client->context_.native_handle();
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (verify == Verify::full && SSL_CTX_set_default_verify_paths(ctx) != 1)
        return std::unexpected("the system's certificate authorities cannot be loaded: " +
                               openssl_reason() + "; install ca-certificates");
    return client;
}

}  // namespace outpost::net
