#pragma once

#include <cstddef>
#include <string>

namespace outpost::config {

/// Something wrong in a configuration file. Never holds a secret's value.
struct Diagnostic {
    std::string file;
    std::size_t line = 1;    ///< from 1
    std::size_t column = 1;  ///< from 1, in octets
    std::string key;      ///< `accounts.newsletter.priority`; empty for a fault of the YAML itself
    std::string message;  ///< what is wrong and what to write instead

    bool operator==(const Diagnostic&) const = default;
    /// `outpost.yaml:31:9: accounts.newsletter.priority: "9" is not ...`
    [[nodiscard]] std::string text() const;
};

}  // namespace outpost::config
