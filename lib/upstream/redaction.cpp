#include "upstream/redaction.hpp"

#include <algorithm>
#include <functional>

#include "base/base64.hpp"

namespace outpost::upstream {

Redaction::Redaction(std::string_view username, const base::Secret& password) {
    if (password.empty()) return;
    const std::string plain = '\0' + std::string(username) + '\0' + std::string(password.reveal());
    forms_.emplace_back(base::base64_encode(plain));              // AUTH PLAIN
    forms_.emplace_back(base::base64_encode(password.reveal()));  // AUTH LOGIN
    forms_.push_back(password);
}

void Redaction::add(const base::Secret& secret) {
    if (secret.empty()) return;
    forms_.emplace_back(base::base64_encode(secret.reveal()));
    forms_.push_back(secret);
    std::ranges::sort(forms_, std::ranges::greater(),
                      [](const auto& form) { return form.reveal().size(); });
}

void Redaction::apply(smtp::Reply& reply) const {
    static constexpr std::string_view mask = "***";
    for (auto& line : reply.lines)
        for (const auto& form : forms_)
            for (auto at = line.find(form.reveal()); at != std::string::npos;
                 at = line.find(form.reveal(), at + mask.size()))
                line.replace(at, form.reveal().size(), mask);
}

}  // namespace outpost::upstream
