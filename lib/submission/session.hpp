#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <cstdint>
#include <memory>
#include <optional>

#include "smtp/server_machine.hpp"
#include "submission/client.hpp"
#include "submission/conversation.hpp"
#include "submission/settings.hpp"
#include "submission/terms.hpp"
#include "submission/transaction.hpp"

namespace outpost::submission {

/// One client's connection: reads commands, steps the machine, runs the actions it asks for. The
/// only coroutine of this folder; everything else decides, or reads and writes on its behalf. Lives
/// on one io_context's thread from start() to the end of the connection.
class Session : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    struct Environment {
        std::shared_ptr<const Terms> terms;
        std::shared_ptr<const ListenerRules> listener;
    };
    Session(Environment environment, boost::asio::io_context& context,
            boost::asio::ip::tcp::socket socket);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// To the end of the connection.
    awaitable<void> run();

    /// Ends the session with 421 4.3.2: at once if no transaction is open, else after its end.
    void stop();
    /// Ends it at once, whatever is going on, but for a message that is being stored.
    void stop_now();
    /// If its account is gone, disabled or has another password, the session ends with 421 4.7.0:
    /// at once if it waits for a command, else before the next one.
    void accounts_changed();

  private:
    // session_opening.cpp: up to the banner
    awaitable<bool> open();
    awaitable<bool> admit();
    awaitable<bool> read_proxy_header();
    awaitable<bool> encrypt();
    [[nodiscard]] bool sign_in_trusted();
    void turn_away(std::string_view reply);

    // session.cpp: the conversation
    awaitable<void> converse();
    [[nodiscard]] smtp::Action take(std::string_view line);
    [[nodiscard]] smtp::Action take(smtp::BadLine bad);
    void perform(smtp::Action action);
    awaitable<void> perform_waiting(smtp::Action action);
    void lost(const net::Failure& failure, std::string_view timeout_reply);
    [[nodiscard]] bool leaving() const noexcept;
    [[nodiscard]] bool may_stay();

    // session_verbs.cpp: the verbs that do more than say a reply
    void greet();
    void mail();
    void rcpt();
    awaitable<void> rcpt_patiently();
    void recipient_judged(const Transaction::Verdict& verdict);
    void forget_transaction() noexcept { transaction_.reset(); }
    awaitable<void> start_tls();
    awaitable<void> authenticate();
    awaitable<void> data();
    awaitable<void> chunk(std::uint64_t octets);
    awaitable<void> discard_chunk(smtp::Action action);
    awaitable<void> finish_message();

    const Environment environment_;
    const Services& services_;
    Conversation wire_;
    smtp::ServerMachine machine_;
    Client client_;
    smtp::Command command_;  ///< the one that the current action is about
    std::optional<Transaction> transaction_;
    Admission::Ticket ticket_;
    unsigned auth_failures_ = 0;
    std::uint64_t accounts_ = 0;   ///< Authenticator::generation() of the client's account
    std::string_view signed_out_;  ///< by the operator: what the client is told
    bool waiting_ = false;         ///< for a command
    bool unleased_ = false;        ///< the recipient waits for the store of the account's limits
    bool stopping_ = false;
    bool ending_ = false;
    bool linger_ = false;  ///< the client may not expect the end
    bool broken_ = false;  ///< nothing more can be said
};

}  // namespace outpost::submission
