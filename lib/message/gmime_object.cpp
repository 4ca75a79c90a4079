#include "message/gmime_object.hpp"

#include <mutex>

namespace outpost::message {

void initialize_gmime() {
    static std::once_flag once;
    std::call_once(once, [] { g_mime_init(); });
}

}  // namespace outpost::message
