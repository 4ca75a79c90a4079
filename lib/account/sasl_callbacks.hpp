#pragma once

#include <sasl/sasl.h>

#include <string>
#include <string_view>

#include "account/directory.hpp"

/// What libsasl2 calls of ours. For the sasl_*.cpp files only.
namespace outpost::account {

/// What one server connection's callbacks know; their context.
struct SaslLookup {
    std::shared_ptr<const Directory> directory;
    bool consulted = false;  ///< a name was looked up: what fails later is wrong credentials
};

/// libsasl2 keeps callbacks as functions without type.
template <class Function>
[[nodiscard]] int (*untyped(Function* function))() {
    // By way of void (*)(), which compilers take for the wildcard among functions.
    return reinterpret_cast<int (*)()>(reinterpret_cast<void (*)()>(function));
}

/// SASL_CB_SERVER_USERDB_CHECKPASS: PLAIN and LOGIN against the stored value.
int check_password(sasl_conn_t* connection, void* lookup, const char* user, const char* password,
                   unsigned size, struct propctx* properties);

/// Registers the source of `*authPassword`, which SCRAM reads.
[[nodiscard]] int add_password_source();

}  // namespace outpost::account
