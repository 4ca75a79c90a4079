#include "account/scram.hpp"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "base/base64.hpp"

namespace outpost::account {
namespace {

std::string decoded(std::string_view text) {
    return base::base64_decode(text).value();
}

// RFC 7677 section 3.
constexpr std::string_view salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
constexpr std::string_view auth_message =
    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view signature = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

TEST(Scram, MakesTheKeysOfRfc7677) {
    const config::ScramValue value = scram::make("pencil", decoded(salt), 4096);
    EXPECT_EQ(scram::hmac(value.server_key, auth_message), decoded(signature));
    std::string client_key = scram::hmac(value.stored_key, auth_message);
    const std::string sent = decoded(proof);
    for (std::size_t i = 0; i < client_key.size(); ++i) {
        client_key[i] = static_cast<char>(client_key[i] ^ sent[i]);
    }
    std::string stored(SHA256_DIGEST_LENGTH, '\0');
    SHA256(reinterpret_cast<const unsigned char*>(client_key.data()), client_key.size(),
           reinterpret_cast<unsigned char*>(stored.data()));
    EXPECT_EQ(value.stored_key, stored);
}

TEST(Scram, VerifiesTheRightPasswordOnly) {
    const config::ScramValue value = scram::make("p\xC3\xA4ssword");
    EXPECT_TRUE(scram::verify(value, "p\xC3\xA4ssword"));
    EXPECT_FALSE(scram::verify(value, "p\xC3\xA4sswor"));
    EXPECT_FALSE(scram::verify(value, "p\xC3\xA4ssword "));
    EXPECT_FALSE(scram::verify(value, ""));
    EXPECT_FALSE(scram::verify(value, std::string_view{}));
}

TEST(Scram, SaltsEachPasswordAnew) {
    EXPECT_NE(scram::make("same").salt, scram::make("same").salt);
    EXPECT_NE(scram::make("same").stored_key, scram::make("same").stored_key);
}

TEST(Scram, StoredFormSurvivesWritingAndReading) {
    const config::ScramValue value = scram::make("secret");
    EXPECT_EQ(config::ScramValue::parse(value.text()), value);
    EXPECT_TRUE(value.text().starts_with("SCRAM-SHA-256$4096:"));
}

}  // namespace
}  // namespace outpost::account
