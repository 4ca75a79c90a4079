#include "config/domain_name.hpp"

#include <idn2.h>

#include <memory>

#include "base/text.hpp"
#include "smtp/domain.hpp"

namespace outpost::config {

std::optional<std::string> canonical_domain(std::string_view name) {
    if (name.empty() || name.size() > 1024) return std::nullopt;
    std::string ascii;
    if (base::is_ascii(name)) {
        ascii = base::to_lower(name);
    } else {
        const std::string input(name);
        if (input.find('\0') != std::string::npos) return std::nullopt;
        char* output = nullptr;
        const int result =
            idn2_to_ascii_8z(input.c_str(), &output, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        const std::unique_ptr<char, decltype(&idn2_free)> owned(output, &idn2_free);
        if (result != IDN2_OK) return std::nullopt;
        ascii = base::to_lower(output);
    }
    if (ascii.size() > 253 || !smtp::is_domain(ascii, false)) return std::nullopt;
    return ascii;
}

}  // namespace outpost::config
