#include "account/password.hpp"

#include <string>
#include <string_view>

#include "base/random.hpp"

namespace outpost::account {
namespace {

constexpr std::string_view alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
constexpr std::size_t length = 24;
/// Octets from here on would make the first letters likelier.
constexpr std::size_t fair = 256 / alphabet.size() * alphabet.size();

}  // namespace

base::Secret random_password() {
    std::string password;
    password.reserve(length);
    while (password.size() < length) {
        for (const char octet : base::random_octets(length)) {
            const std::size_t value = static_cast<unsigned char>(octet);
            if (value < fair && password.size() < length)
                password += alphabet[value % alphabet.size()];
        }
    }
    return base::Secret(std::move(password));
}

}  // namespace outpost::account
