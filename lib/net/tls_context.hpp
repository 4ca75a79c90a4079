#pragma once

#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace outpost::net {

struct CertificateFiles {
    std::string certificate;  ///< PEM: the certificate, then its chain
    std::string key;          ///< PEM, not encrypted
};

struct LoadedCertificate {
    std::string file;
    std::chrono::sys_seconds expires{};
};

/// What a server needs for TLS: one context a certificate, chosen by the client's SNI; the first
/// serves clients that name no host or an unknown one. Immutable once loaded.
class TlsServer {
  public:
    /// The error names the file and what is wrong with it (missing, no PEM, key does not match).
    static std::expected<std::shared_ptr<TlsServer>, std::string> load(
        std::span<const CertificateFiles> certificates, bool only_tls13);
    [[nodiscard]] boost::asio::ssl::context& context() noexcept { return *contexts_.front(); }
    [[nodiscard]] const std::vector<LoadedCertificate>& certificates() const noexcept {
        return certificates_;
    }

  private:
    friend int choose_certificate(void* ssl, int* alert, void* server);
    std::vector<std::unique_ptr<boost::asio::ssl::context>> contexts_;
    std::vector<LoadedCertificate> certificates_;
};

/// What a client needs: how to check the server's certificate.
class TlsClient {
  public:
    enum class Verify : std::uint8_t { full, none, fingerprint };
    /// `full`: the system's CA store (or the CA file of SSL_CERT_FILE) and the host name.
    /// `fingerprint`: `sha256` is the lower-case hex digest of the DER certificate.
    static std::expected<std::shared_ptr<TlsClient>, std::string> make(Verify verify,
                                                                       std::string sha256 = {});
    [[nodiscard]] boost::asio::ssl::context& context() noexcept { return context_; }
    [[nodiscard]] Verify verify() const noexcept { return verify_; }
    [[nodiscard]] const std::string& sha256() const noexcept { return sha256_; }

  private:
    TlsClient() : context_(boost::asio::ssl::context::tls_client) {}
    boost::asio::ssl::context context_;
    Verify verify_ = Verify::full;
    std::string sha256_;
};

}  // namespace outpost::net
