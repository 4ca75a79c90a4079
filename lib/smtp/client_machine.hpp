#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "smtp/extensions.hpp"
#include "smtp/reply.hpp"
#include "smtp/sasl.hpp"

/// The client's side of opening an SMTP session, without I/O: banner, EHLO (HELO for a server that
/// knows no EHLO), STARTTLS, AUTH. The driver does what an action says and reports what came of it
/// as an event, until `ready` or `failed`. What happens after that is client_transaction.hpp's.
namespace outpost::smtp {

/// Where in a session something happened.
enum class ClientStage : std::uint8_t {
    connect,  ///< name lookup and TCP
    banner,
    ehlo,
    starttls,
    handshake,  ///< TLS
    auth,
    mail,
    rcpt,
    data,     ///< DATA, or the body before its end went out
    verdict,  ///< the reply to the whole message
};

/// What went wrong there.
enum class ClientFault : std::uint8_t {
    none,
    refused,       ///< the server said so in a reply
    not_offered,   ///< the server lacks an extension that the session cannot do without
    certificate,   ///< the server's certificate was not accepted
    sasl,          ///< our own SASL side gave up
    disconnected,  ///< connection refused, closed, reset; name not found
    timed_out,
    protocol,   ///< what the server sent makes no sense
    uncertain,  ///< the whole message went out, and then one of the three above
    local,      ///< our own: the message could not be read
};

/// Why something did not work. `reply` is the server's, or has code 0 and our own words.
struct ClientFailure {
    ClientStage stage = ClientStage::connect;
    ClientFault fault = ClientFault::none;
    Reply reply;

    bool operator==(const ClientFailure&) const = default;
};

/// A reply of code 0: our own words where the server has none.
[[nodiscard]] Reply own_words(std::string words);

/// How long to wait for a server (RFC 5321 section 4.5.3.2).
struct ClientLimits {
    std::chrono::seconds connect{30};
    std::chrono::seconds banner{300};
    std::chrono::seconds command{300};  ///< EHLO, STARTTLS, AUTH, MAIL, RCPT, RSET
    std::chrono::seconds handshake{60};
    std::chrono::seconds data{120};
    std::chrono::seconds block{180};  ///< for each piece of the body to leave
    std::chrono::seconds verdict{600};
    std::chrono::seconds quit{5};
};

struct ClientSettings {
    enum class Tls : std::uint8_t { none, starttls, implicit };
    std::string hostname;  ///< what EHLO says
    Tls tls = Tls::starttls;
    bool authenticate = false;
    ClientLimits limits;
};

/// The connection failed: `fault` is disconnected, timed_out, protocol or certificate.
struct ClientBroken {
    ClientFault fault = ClientFault::disconnected;
    std::string words;
};
struct TlsStarted {};
struct SaslAnswer {
    std::string octets;
};
struct SaslError {
    std::string words;
};
using ClientEvent =
    std::variant<Reply, TlsStarted, SaslClient::Start, SaslAnswer, SaslError, ClientBroken>;

struct ClientAction {
    enum class Kind : std::uint8_t {
        read,        ///< bring a Reply
        handshake,   ///< drop all octets that were read and not used, start TLS, bring TlsStarted
        sasl_start,  ///< bring SaslClient::Start for extensions().auth, or SaslError
        sasl_step,   ///< bring SaslAnswer for `challenge`, or SaslError
        ready,       ///< signed in; transactions can begin
        failed,      ///< see failure(); say QUIT if the connection still stands
    };
    Kind kind = Kind::read;
    std::string output;  ///< to be written first; may hold credentials: never log it
    std::string challenge;
    std::chrono::seconds limit{0};  ///< for writing `output` and for what `kind` asks

    bool operator==(const ClientAction&) const = default;
};

class ClientMachine {
  public:
    explicit ClientMachine(ClientSettings settings) : settings_(std::move(settings)) {}

    /// The first action, once TCP is connected.
    [[nodiscard]] ClientAction start();
    /// The next action. ClientBroken always leads to `failed`.
    [[nodiscard]] ClientAction step(ClientEvent event);

    /// What the server offers, from its last EHLO reply.
    [[nodiscard]] const Extensions& extensions() const noexcept { return extensions_; }
    [[nodiscard]] const ClientFailure& failure() const noexcept { return failure_; }
    /// Whether QUIT makes sense after `failed`: the server still listens.
    [[nodiscard]] bool may_quit() const noexcept { return may_quit_; }

  private:
    enum class State : std::uint8_t {
        banner,
        ehlo,
        helo,
        starttls,
        handshake,
        sasl_start,
        auth,
        sasl_step,
        auth_cancelled,
        ended,
    };

    ClientAction on_reply(Reply reply);
    ClientAction on_banner(Reply reply);
    ClientAction on_ehlo(Reply reply);
    ClientAction on_starttls(Reply reply);
    ClientAction on_auth(Reply reply);
    ClientAction send_ehlo();
    ClientAction start_handshake();
    ClientAction after_hello();
    ClientAction on_sasl_start(SaslClient::Start start);
    ClientAction cancel_auth(ClientFault fault, std::string words);
    ClientAction fail(ClientFault fault, Reply reply);
    [[nodiscard]] ClientStage stage() const noexcept;

    ClientSettings settings_;
    State state_ = State::banner;
    Extensions extensions_;
    ClientFailure failure_;
    bool encrypted_ = false;
    bool may_quit_ = false;
    /// Kept back for the first, empty challenge where it makes the AUTH line too long.
    std::string initial_response_;
    bool initial_response_waits_ = false;
};

}  // namespace outpost::smtp
