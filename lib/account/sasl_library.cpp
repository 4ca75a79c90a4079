#include "account/sasl_library.hpp"

#include <fmt/format.h>
#include <sasl/sasl.h>
#include <sysexits.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <string_view>

#include "account/sasl_callbacks.hpp"
#include "base/error.hpp"

namespace outpost::account {
namespace {

constexpr std::array<std::string_view, 4> modules{"libplain", "liblogin", "libscram", "libcrammd5"};

void* make_mutex() {
    return new std::mutex;
}
int lock_mutex(void* mutex) {
    static_cast<std::mutex*>(mutex)->lock();
    return SASL_OK;
}
int unlock_mutex(void* mutex) {
    static_cast<std::mutex*>(mutex)->unlock();
    return SASL_OK;
}
void free_mutex(void* mutex) {
    delete static_cast<std::mutex*>(mutex);
}

/// SASL_CB_VERIFYFILE: which files may be loaded.
int verify_file(void*, const char* file, sasl_verify_type_t type) {
    std::string_view name(file);
    if (const std::size_t slash = name.rfind('/'); slash != std::string_view::npos) {
        name.remove_prefix(slash + 1);
    }
    const bool ours = type == SASL_VRFY_PLUGIN &&
                      std::ranges::find(modules, name.substr(0, name.find('.'))) != modules.end();
    return ours ? SASL_OK : SASL_CONTINUE;
}

/// SASL_CB_GETOPT: what would stand in a configuration file.
int get_option(void*, const char*, const char* option, const char** result, unsigned* size) {
    const std::string_view name(option);
    const char* value = nullptr;
    if (name == "mech_list") value = "SCRAM-SHA-256 PLAIN LOGIN";
    if (name == "auxprop_plugin") value = "outpost";
    if (name == "pwcheck_method") value = "auxprop";
    if (value == nullptr) return SASL_FAIL;
    *result = value;
    if (size != nullptr) *size = static_cast<unsigned>(std::string_view(value).size());
    return SASL_OK;
}

/// SASL_CB_LOG: the library's words on each refused password say less than our own line.
int discard_log(void*, int, const char*) {
    return SASL_OK;
}

void check(int result, std::string_view what) {
    if (result == SASL_OK) return;
    throw base::StartFailure(
        EX_UNAVAILABLE,
        fmt::format("libsasl2: {}: {}; install the packages libsasl2-2 and libsasl2-modules", what,
                    sasl_errstring(result, nullptr, nullptr)));
}

/// A missing module shows only in what a connection offers.
void check_mechanisms() {
    sasl_conn_t* connection = nullptr;
    check(sasl_server_new("smtp", "localhost", nullptr, nullptr, nullptr, nullptr, 0, &connection),
          "a first connection");
    const char* list = nullptr;
    const int result = sasl_listmech(connection, nullptr, " ", " ", " ", &list, nullptr, nullptr);
    const std::string offered = result == SASL_OK ? list : "";
    sasl_dispose(&connection);
    for (const std::string_view mechanism : {" SCRAM-SHA-256 ", " PLAIN ", " LOGIN "}) {
        if (offered.find(mechanism) == std::string::npos) {
            check(SASL_NOMECH, fmt::format("mechanism{}cannot be offered", mechanism));
        }
    }
}

}  // namespace

void prepare_sasl() {
    static const sasl_callback_t callbacks[] = {
        {SASL_CB_VERIFYFILE, untyped(verify_file), nullptr},
        {SASL_CB_GETOPT, untyped(get_option), nullptr},
        {SASL_CB_LOG, untyped(discard_log), nullptr},
        {SASL_CB_LIST_END, nullptr, nullptr},
    };
    static std::once_flag once;
    std::call_once(once, [] {
        sasl_set_mutex(make_mutex, lock_mutex, unlock_mutex, free_mutex);
        check(sasl_server_init(callbacks, "outpost"), "server side");
        check(sasl_client_init(callbacks), "client side");
        check(add_password_source(), "source of stored passwords");
        check_mechanisms();
    });
}

}  // namespace outpost::account
