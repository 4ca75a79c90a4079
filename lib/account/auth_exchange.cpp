#include <algorithm>

#include "account/authenticator.hpp"
#include "account/sasl_messages.hpp"
#include "account/sasl_server.hpp"
#include "base/text.hpp"

namespace outpost::account {
namespace {

// The prompts that clients of this undocumented mechanism look for.
constexpr std::string_view name_prompt = "Username:";
constexpr std::string_view password_prompt = "Password:";

std::string_view canonical_mechanism(std::string_view name) {
    for (const std::string_view known : Authenticator::mechanisms()) {
        if (base::iequals(name, known)) return known;
    }
    return {};
}

AuthFailure failure_of(SaslServer::Failure failure) {
    switch (failure) {
        case SaslServer::Failure::credentials: return AuthFailure::credentials;
        case SaslServer::Failure::mechanism: return AuthFailure::mechanism;
        case SaslServer::Failure::syntax: return AuthFailure::syntax;
        case SaslServer::Failure::unavailable: return AuthFailure::unavailable;
    }
    return AuthFailure::unavailable;
}

}  // namespace

AuthExchange::AuthExchange(Authenticator& authenticator, const config::IpAddress& client)
    : authenticator_(authenticator), client_(client), directory_(authenticator.directory()) {}

AuthExchange::~AuthExchange() = default;

AuthStep AuthExchange::start(std::string_view mechanism, std::optional<std::string_view> initial) {
    if (state_ != State::fresh) return refuse(AuthFailure::syntax);
    if (authenticator_.address_throttled(client_)) return refuse(AuthFailure::address_throttled);
    const std::string_view known = canonical_mechanism(mechanism);
    if (known.empty()) return refuse(AuthFailure::mechanism);
    mechanism_ = known;
    state_ = known == "PLAIN"   ? State::plain
             : known == "LOGIN" ? State::login_name
                                : State::scram_first;
    if (initial) return step(*initial);
    return AuthChallenge{std::string(state_ == State::login_name ? name_prompt : "")};
}

AuthStep AuthExchange::step(std::string_view response) {
    switch (state_) {
        case State::plain: return plain(response);
        case State::login_name:
            if (!is_usable_name(response)) return refuse(AuthFailure::syntax);
            name_ = response;
            state_ = State::login_password;
            return AuthChallenge{std::string(password_prompt)};
        case State::login_password:
            password_ = base::Secret(std::string(response));
            return check_password();
        case State::scram_first: return scram_first(response);
        case State::scram_final: pending_ = response; return AuthPending{};
        case State::fresh:
        case State::spent: break;
    }
    return refuse(AuthFailure::syntax);
}

AuthStep AuthExchange::plain(std::string_view message) {
    auto credentials = parse_plain(message);
    if (!credentials) return refuse(AuthFailure::syntax);
    name_ = std::move(credentials->name);
    password_ = std::move(credentials->password);
    if (!credentials->acts_as.empty() && credentials->acts_as != name_) {
        return refuse(AuthFailure::credentials);
    }
    return check_password();
}

AuthStep AuthExchange::check_password() {
    const base::MonoTime now = authenticator_.clock_.mono();
    if (authenticator_.throttle_.account_blocked(name_, client_, now)) {
        return refuse(AuthFailure::account_throttled);
    }
    const auto account = directory_->find(name_);
    if (account != nullptr && authenticator_.cache_.contains(claim(*account), now)) {
        return admit(account);
    }
    return AuthPending{};
}

AuthStep AuthExchange::scram_first(std::string_view message) {
    auto name = scram_client_name(message);
    if (!name) return refuse(AuthFailure::syntax);
    name_ = std::move(*name);
    if (authenticator_.throttle_.account_blocked(name_, client_, authenticator_.clock_.mono())) {
        return refuse(AuthFailure::account_throttled);
    }
    pending_ = message;
    return AuthPending{};
}

AuthStep AuthExchange::work() {
    SaslServer::Step result = SaslServer::Failure::unavailable;
    if (state_ == State::plain || state_ == State::login_password) {
        result = verify_password();
    } else if (state_ == State::scram_first || state_ == State::scram_final) {
        result = continue_scram();
    }
    if (auto* challenge = std::get_if<SaslServer::Challenge>(&result)) {
        return AuthChallenge{std::move(challenge->octets)};
    }
    if (const auto* failure = std::get_if<SaslServer::Failure>(&result)) {
        return refuse(failure_of(*failure));
    }
    const auto account = directory_->find(std::get<SaslServer::Success>(result).name);
    if (account == nullptr) return refuse(AuthFailure::credentials);
    if (state_ != State::scram_final) {
        authenticator_.cache_.insert(claim(*account), authenticator_.clock_.mono());
    }
    return admit(account);
}

SaslServer::Step AuthExchange::verify_password() {
    SaslServer server(directory_);
    if (state_ == State::plain) {
        return server.start(mechanism_, make_plain(name_, password_).reveal());
    }
    SaslServer::Step result = server.start(mechanism_, std::nullopt);
    for (const std::string_view answer : {std::string_view(name_), password_.reveal()}) {
        if (!std::holds_alternative<SaslServer::Challenge>(result)) break;
        result = server.step(answer);
    }
    return result;
}

SaslServer::Step AuthExchange::continue_scram() {
    if (state_ == State::scram_final) return sasl_->step(pending_);
    sasl_ = std::make_unique<SaslServer>(directory_);
    state_ = State::scram_final;
    return sasl_->start(mechanism_, pending_);
}

AuthStep AuthExchange::admit(const std::shared_ptr<const Account>& account) {
    authenticator_.throttle_.succeeded(name_, client_, authenticator_.clock_.mono());
    if (!account->active) return refuse(AuthFailure::inactive);
    if (!account->admits(client_)) return refuse(AuthFailure::network);
    state_ = State::spent;
    return AuthSuccess{account};
}

AuthStep AuthExchange::refuse(AuthFailure failure) {
    if (failure == AuthFailure::credentials) {
        authenticator_.throttle_.failed(name_, client_, authenticator_.clock_.mono());
    }
    state_ = State::spent;
    return AuthRefusal{failure, name_};
}

AuthCache::Claim AuthExchange::claim(const Account& account) const {
    return {account.name, password_.reveal(), account.secret.stored_key};
}

}  // namespace outpost::account
