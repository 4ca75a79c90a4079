#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "account/directory.hpp"

namespace outpost::account {

/// The server side of one SASL exchange over libsasl2: PLAIN, LOGIN and SCRAM-SHA-256 against the
/// stored values of a Directory. Blocks for a PBKDF2; used by one thread at a time. An unknown name
/// takes the steps and the time of a known one. Needs prepare_sasl().
class SaslServer {
  public:
    explicit SaslServer(std::shared_ptr<const Directory> directory);
    ~SaslServer();
    SaslServer(const SaslServer&) = delete;
    SaslServer& operator=(const SaslServer&) = delete;

    enum class Failure : std::uint8_t { credentials, mechanism, syntax, unavailable };
    struct Challenge {
        std::string octets;
    };
    struct Success {
        std::string name;  ///< of an account of the directory
    };
    using Step = std::variant<Challenge, Success, Failure>;

    /// `initial`: nothing and the empty string differ.
    [[nodiscard]] Step start(const std::string& mechanism, std::optional<std::string_view> initial);
    [[nodiscard]] Step step(std::string_view response);

  private:
    struct Connection;
    std::unique_ptr<Connection> connection_;
};

}  // namespace outpost::account
