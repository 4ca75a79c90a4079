#include "account/sasl_callbacks.hpp"

#include <sasl/prop.h>
#include <sasl/saslplug.h>

#include <cstring>

#include "account/scram.hpp"

namespace outpost::account {
namespace {

constexpr const char* stored_password = "*authPassword";

/// The stored value of a name; of a name that does not exist, its decoy.
config::ScramValue stored_value(SaslLookup& lookup, std::string_view name, bool& exists) {
    lookup.consulted = true;
    const auto account = lookup.directory->find(name);
    exists = account != nullptr;
    return exists ? account->secret : lookup.directory->decoy(name);
}

/// The connection's lookup: libsasl2 hands a plug-in no context of ours, but the callbacks of the
/// connection, of which CHECKPASS has it.
SaslLookup* lookup_of(sasl_server_params_t* parameters) {
    sasl_callback_ft function = nullptr;
    void* context = nullptr;
    const sasl_utils_t* const utils = parameters->utils;
    if (utils->getcallback(utils->conn, SASL_CB_SERVER_USERDB_CHECKPASS, &function, &context) !=
        SASL_OK) {
        return nullptr;
    }
    return static_cast<SaslLookup*>(context);
}

int look_up(void*, sasl_server_params_t* parameters, unsigned flags, const char* user,
            unsigned size) {
    // The `*` names properties of who signs in; with this flag it is for whom he acts.
    if ((flags & SASL_AUXPROP_AUTHZID) != 0) return SASL_OK;
    SaslLookup* const lookup = lookup_of(parameters);
    if (lookup == nullptr || user == nullptr) return SASL_FAIL;
    const sasl_utils_t* const utils = parameters->utils;
    const propval* const wanted = utils->prop_get(parameters->propctx);
    if (wanted == nullptr) return SASL_OK;
    for (const propval* value = wanted; value->name != nullptr; ++value) {
        if (std::strcmp(value->name, stored_password) != 0 || value->values != nullptr) continue;
        bool exists = false;
        const std::string text = stored_value(*lookup, {user, size}, exists).text();
        return utils->prop_set(parameters->propctx, stored_password, text.c_str(),
                               static_cast<int>(text.size()));
    }
    return SASL_OK;
}

int make_plugin(const sasl_utils_t*, int max_version, int* version, sasl_auxprop_plug_t** plugin,
                const char*) {
    static char name[] = "outpost";
    static sasl_auxprop_plug_t self{0, 0, nullptr, nullptr, look_up, name, nullptr};
    if (max_version < SASL_AUXPROP_PLUG_VERSION) return SASL_BADVERS;
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plugin = &self;
    return SASL_OK;
}

}  // namespace

int check_password(sasl_conn_t*, void* lookup, const char* user, const char* password,
                   unsigned size, propctx*) {
    bool exists = false;
    const config::ScramValue value = stored_value(*static_cast<SaslLookup*>(lookup), user, exists);
    const bool right = scram::verify(value, {password, size});
    return right && exists ? SASL_OK : SASL_BADAUTH;
}

int add_password_source() {
    return sasl_auxprop_add_plugin("outpost", make_plugin);
}

}  // namespace outpost::account
