#include "config/diagnostic.hpp"

#include <fmt/format.h>

namespace outpost::config {

std::string Diagnostic::text() const {
    if (key.empty()) return fmt::format("{}:{}:{}: {}", file, line, column, message);
    return fmt::format("{}:{}:{}: {}: {}", file, line, column, key, message);
}

}  // namespace outpost::config
