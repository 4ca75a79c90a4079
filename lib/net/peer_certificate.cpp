#include "net/peer_certificate.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <memory>

namespace outpost::net {

void prepare_verification(SSL* ssl, const TlsClient& client, const std::string& host) {
    boost::system::error_code not_an_address;
    boost::asio::ip::make_address(host, not_an_address);
    if (not_an_address) SSL_set_tlsext_host_name(ssl, host.c_str());
    if (client.verify() != TlsClient::Verify::full) {
        SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
        return;
    }
    SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
    X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
    if (not_an_address) {
        X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size());
    } else {
        X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str());
    }
}

std::string check_fingerprint(SSL* ssl, const TlsClient& client) {
    if (client.verify() != TlsClient::Verify::fingerprint) return {};
    const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(ssl),
                                                           &X509_free);
    if (!peer) return "the peer presented no certificate";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    if (X509_digest(peer.get(), EVP_sha256(), digest.data(), &length) != 1)
        return "the peer's certificate cannot be digested";
    std::string hex;
    for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
    if (hex == client.sha256()) return {};
    return fmt::format("the peer's certificate has the fingerprint sha256:{}, not sha256:{}", hex,
                       client.sha256());
}

}  // namespace outpost::net
