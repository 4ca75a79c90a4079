#include "account/sasl_server.hpp"

#include <sasl/sasl.h>

#include "account/sasl_callbacks.hpp"

namespace outpost::account {

struct SaslServer::Connection {
    explicit Connection(std::shared_ptr<const Directory> directory) {
        lookup.directory = std::move(directory);
        const sasl_security_properties_t properties{0, 0, 0, 0, nullptr, nullptr};
        // With a name of its own, libsasl2 asks no name service for ours.
        const int made =
            sasl_server_new("smtp", "localhost", nullptr, nullptr, nullptr, callbacks, 0, &sasl);
        usable = made == SASL_OK && sasl_setprop(sasl, SASL_SEC_PROPS, &properties) == SASL_OK;
    }
    ~Connection() { sasl_dispose(&sasl); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] Step step_of(int result, const char* octets, unsigned size) const;
    [[nodiscard]] Step success() const;

    SaslLookup lookup;
    const sasl_callback_t callbacks[2] = {
        {SASL_CB_SERVER_USERDB_CHECKPASS, untyped(check_password), &lookup},
        {SASL_CB_LIST_END, nullptr, nullptr},
    };
    sasl_conn_t* sasl = nullptr;
    bool usable = false;
};

SaslServer::Step SaslServer::Connection::success() const {
    const void* name = nullptr;
    if (sasl_getprop(sasl, SASL_USERNAME, &name) != SASL_OK || name == nullptr) {
        return Failure::unavailable;
    }
    return Success{static_cast<const char*>(name)};
}

SaslServer::Step SaslServer::Connection::step_of(int result, const char* octets,
                                                 unsigned size) const {
    switch (result) {
        case SASL_OK: return success();
        case SASL_CONTINUE:
            return Challenge{octets == nullptr ? std::string{} : std::string(octets, size)};
        case SASL_NOMECH: return lookup.consulted ? Failure::credentials : Failure::mechanism;
        // A wrong SCRAM proof is a protocol error to libsasl2, as malformed octets are.
        case SASL_BADPROT: return lookup.consulted ? Failure::credentials : Failure::syntax;
        case SASL_NOMEM:
        case SASL_NOTINIT:
        case SASL_BUFOVER: return Failure::unavailable;
        default: return Failure::credentials;
    }
}

SaslServer::SaslServer(std::shared_ptr<const Directory> directory)
    : connection_(std::make_unique<Connection>(std::move(directory))) {}

SaslServer::~SaslServer() = default;

SaslServer::Step SaslServer::start(const std::string& mechanism,
                                   std::optional<std::string_view> initial) {
    if (!connection_->usable) return Failure::unavailable;
    // A client that asks for channel binding where none is set up would crash the SCRAM module of
    // libsasl2 2.1.28.
    if (initial && initial->starts_with("p=")) return Failure::syntax;
    const char* octets = nullptr;
    unsigned size = 0;
    // To libsasl2, no initial response is a null pointer, and an empty one is not.
    const std::string given(initial.value_or(""));
    const int result =
        sasl_server_start(connection_->sasl, mechanism.c_str(), initial ? given.c_str() : nullptr,
                          static_cast<unsigned>(given.size()), &octets, &size);
    return connection_->step_of(result, octets, size);
}

SaslServer::Step SaslServer::step(std::string_view response) {
    if (!connection_->usable) return Failure::unavailable;
    if (!connection_->lookup.consulted && response.starts_with("p=")) return Failure::syntax;
    const char* octets = nullptr;
    unsigned size = 0;
    const std::string given(response);
    const int result = sasl_server_step(connection_->sasl, given.c_str(),
                                        static_cast<unsigned>(given.size()), &octets, &size);
    return connection_->step_of(result, octets, size);
}

}  // namespace outpost::account
