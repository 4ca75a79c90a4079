#include "account/scram.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

#include "base/random.hpp"

namespace outpost::account::scram {
namespace {

constexpr std::size_t digest_size = 32;

const unsigned char* octets_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string salted_password(std::string_view password, std::string_view salt,
                            std::uint32_t iterations) {
    std::string salted(digest_size, '\0');
    // A null pointer would mean an unset password to OpenSSL.
    const std::string_view given = password.data() == nullptr ? std::string_view("") : password;
    if (PKCS5_PBKDF2_HMAC(given.data(), static_cast<int>(given.size()), octets_of(salt),
                          static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                          static_cast<int>(salted.size()),
                          reinterpret_cast<unsigned char*>(salted.data())) != 1) {
        throw std::runtime_error("OpenSSL: PBKDF2 with SHA-256 failed");
    }
    return salted;
}

std::string sha256(std::string_view octets) {
    std::string digest(digest_size, '\0');
    if (EVP_Digest(octets.data(), octets.size(), reinterpret_cast<unsigned char*>(digest.data()),
                   nullptr, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error("OpenSSL: SHA-256 failed");
    }
    return digest;
}

std::string stored_key(std::string_view salted) {
    return sha256(hmac(salted, "Client Key"));
}

}  // namespace

std::string hmac(std::string_view key, std::string_view octets) {
    std::string digest(digest_size, '\0');
    unsigned int size = 0;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets_of(octets),
             octets.size(), reinterpret_cast<unsigned char*>(digest.data()), &size) == nullptr) {
        throw std::runtime_error("OpenSSL: HMAC with SHA-256 failed");
    }
    return digest;
}

config::ScramValue make(std::string_view password, std::string salt, std::uint32_t iterations) {
    std::string salted = salted_password(password, salt, iterations);
    config::ScramValue value{iterations, std::move(salt), stored_key(salted),
                             hmac(salted, "Server Key")};
    OPENSSL_cleanse(salted.data(), salted.size());
    return value;
}

config::ScramValue make(std::string_view password) {
    return make(password, base::random_octets(default_salt_size));
}

bool verify(const config::ScramValue& value, std::string_view password) {
    std::string salted = salted_password(password, value.salt, value.iterations);
    const std::string key = stored_key(salted);
    OPENSSL_cleanse(salted.data(), salted.size());
    return key.size() == value.stored_key.size() &&
           CRYPTO_memcmp(key.data(), value.stored_key.data(), key.size()) == 0;
}

}  // namespace outpost::account::scram
