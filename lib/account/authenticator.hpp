#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "account/auth_cache.hpp"
#include "account/auth_throttle.hpp"
#include "account/directory.hpp"
#include "account/sasl_server.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "config/network.hpp"
#include "config/types.hpp"

namespace outpost::account {

class Authenticator;

/// Why an AUTH was refused; the session words the reply.
enum class AuthFailure : std::uint8_t {
    credentials,  ///< wrong name or password, or an authorization identity of another: 535 5.7.8
    mechanism,    ///< none of ours: 504 5.5.4
    syntax,       ///< the mechanism's octets are malformed: 501 5.5.2
    inactive,     ///< right password, account inactive: 525 5.7.13
    network,      ///< right password, client outside of allowed_networks: 535 5.7.8 or 550 5.7.1
    account_throttled,  ///< too many failures for this account: 454 4.7.0
    address_throttled,  ///< too many failures from this address: 421 4.7.0 and close
    unavailable,        ///< the SASL library failed: 454 4.7.0
};

/// Sent to the client as `334` and base64.
struct AuthChallenge {
    std::string octets;
};
struct AuthSuccess {
    std::shared_ptr<const Account> account;
};
struct AuthRefusal {
    AuthFailure failure;
    std::string account;  ///< the name that was tried, for the log; may be empty, never trusted
};
/// work() must be called on a thread that may block.
struct AuthPending {};

using AuthStep = std::variant<AuthChallenge, AuthSuccess, AuthRefusal, AuthPending>;

/// One AUTH command of one session, used by one thread at a time. start() and step() never block
/// and answer on their own what needs no computation (prompts, cached passwords, throttling); on
/// AuthPending the session calls work() through net::OffloadPool, with a shared_ptr to this object
/// in the job. After a success or a refusal the object is spent. A client's `*` or a lost
/// connection ends the exchange by destroying it. Octets are raw, not base64.
class AuthExchange {
  public:
    AuthExchange(Authenticator& authenticator, const config::IpAddress& client);
    ~AuthExchange();
    AuthExchange(const AuthExchange&) = delete;
    AuthExchange& operator=(const AuthExchange&) = delete;

    /// `initial`: nothing if the command had no initial response; empty if it was `=`.
    [[nodiscard]] AuthStep start(std::string_view mechanism,
                                 std::optional<std::string_view> initial);
    /// The client's answer to the last challenge.
    [[nodiscard]] AuthStep step(std::string_view response);
    /// Blocks for the time of a PBKDF2. Never yields AuthPending.
    [[nodiscard]] AuthStep work();

  private:
    enum class State : std::uint8_t {
        fresh,
        plain,
        login_name,
        login_password,
        scram_first,
        scram_final,
        spent
    };

    AuthStep plain(std::string_view message);
    AuthStep scram_first(std::string_view message);
    AuthStep check_password();
    SaslServer::Step verify_password();
    SaslServer::Step continue_scram();
    AuthStep admit(const std::shared_ptr<const Account>& account);
    AuthStep refuse(AuthFailure failure);
    [[nodiscard]] AuthCache::Claim claim(const Account& account) const;

    Authenticator& authenticator_;
    config::IpAddress client_;
    std::shared_ptr<const Directory> directory_;
    std::unique_ptr<SaslServer> sasl_;
    State state_ = State::fresh;
    std::string mechanism_;
    std::string name_;
    base::Secret password_;
    std::string pending_;  ///< a SCRAM message that waits for work()
};

/// The accounts and all that guards signing in: the cache of successes and the throttle. One for
/// the process; thread-safe.
class Authenticator {
  public:
    /// Prepares libsasl2 on first use. Throws base::StartFailure if it lacks what we need.
    Authenticator(std::shared_ptr<const Directory> directory, const config::Submission& limits,
                  const base::Clock& clock);

    /// Best first: `SCRAM-SHA-256`, `PLAIN`, `LOGIN`.
    [[nodiscard]] static std::span<const std::string_view> mechanisms();

    [[nodiscard]] std::shared_ptr<AuthExchange> exchange(const config::IpAddress& client);
    /// Too many failures: greet with 421 4.7.0. Cheap.
    [[nodiscard]] bool address_throttled(const config::IpAddress& client);

    /// Until when too many failures keep this account from signing in (but from addresses that
    /// have lately signed in to it); nothing if they do not.
    [[nodiscard]] std::optional<base::WallTime> locked_until(std::string_view account);
    /// Ends that.
    void unlock(std::string_view account);

    [[nodiscard]] std::shared_ptr<const Directory> directory() const;
    /// New AUTH commands use `directory` from now on; sessions that have signed in notice by
    /// generation().
    void replace(std::shared_ptr<const Directory> directory);
    /// Grows with each replace(). Read before directory(), it is never newer than that.
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return generation_.load(std::memory_order_acquire);
    }

  private:
    friend class AuthExchange;

    mutable std::mutex mutex_;
    std::shared_ptr<const Directory> directory_;
    std::atomic<std::uint64_t> generation_{1};
    const base::Clock& clock_;
    AuthCache cache_;
    AuthThrottle throttle_;
};

}  // namespace outpost::account
