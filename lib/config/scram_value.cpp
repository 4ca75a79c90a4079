#include "config/scram_value.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/base64.hpp"

namespace outpost::config {
namespace {

constexpr std::string_view scheme = "SCRAM-SHA-256$";
constexpr std::size_t key_size = 32;
// RFC 7677 section 4 asks for at least 4096; clients over libsasl2 refuse fewer.
constexpr std::uint32_t min_iterations = 4096;
constexpr std::uint32_t max_iterations = 10'000'000;

/// The text before `separator`, which is taken off with it.
std::string_view take(std::string_view& rest, char separator) {
    const std::size_t end = rest.find(separator);
    const std::string_view part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return part;
}

}  // namespace

std::expected<ScramValue, std::string> ScramValue::parse(std::string_view text) {
    if (!text.starts_with(scheme)) {
        return std::unexpected(
            "is not an RFC 5803 value; it must begin with SCRAM-SHA-256$; make one with "
            "`outpostctl hash-password`");
    }
    std::string_view rest = text.substr(scheme.size());
    const std::string_view count = take(rest, ':');
    const auto salt = base::base64_decode(take(rest, '$'));
    const auto stored = base::base64_decode(take(rest, ':'));
    const auto server = base::base64_decode(rest);

    ScramValue value;
    const char* const end = count.data() + count.size();
    const auto [stop, error] = std::from_chars(count.data(), end, value.iterations);
    if (error != std::errc{} || stop != end || value.iterations < min_iterations ||
        value.iterations > max_iterations) {
        return std::unexpected(fmt::format("has no iteration count from {} to {} after its first $",
                                           min_iterations, max_iterations));
    }
    if (!salt || salt->empty() || salt->size() > 128) {
        return std::unexpected("has no base64 salt between the first : and the second $");
    }
    if (!stored || stored->size() != key_size) {
        return std::unexpected("has no base64 StoredKey of 32 octets after its second $");
    }
    if (!server || server->size() != key_size) {
        return std::unexpected("has no base64 ServerKey of 32 octets after its last :");
    }
    value.salt = *salt;
    value.stored_key = *stored;
    value.server_key = *server;
    return value;
}

std::string ScramValue::text() const {
    return fmt::format("{}{}:{}${}:{}", scheme, iterations, base::base64_encode(salt),
                       base::base64_encode(stored_key), base::base64_encode(server_key));
}

}  // namespace outpost::config
