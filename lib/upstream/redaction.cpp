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

namespace {

constexpr std::string_view mask = "***";
/// What is shorter may be any word, and gives little away.
constexpr std::size_t least_beginning = 6;

/// How many octets at the end of a text are the beginning of a secret.
std::size_t beginning_at_end(std::string_view text, std::string_view secret) {
    for (auto size = std::min(text.size(), secret.size()); size >= least_beginning; --size)
        if (text.ends_with(secret.substr(0, size))) return size;
    return 0;
}

}  // namespace

/// Words are cut before they come here, perhaps within a secret; then `...` may stand at the end.
void Redaction::mask_at_end(std::string& line) const {
    constexpr std::string_view dots = "...";
    for (const auto end : {line.size(), line.ends_with(dots) ? line.size() - dots.size() : 0}) {
        std::size_t size = 0;
        for (const auto& form : forms_)
            size = std::max(size,
                            beginning_at_end(std::string_view(line).substr(0, end), form.reveal()));
        if (size == 0) continue;
        line.replace(end - size, size, mask);
        return;
    }
}

void Redaction::apply(smtp::Reply& reply) const {
    for (auto& line : reply.lines) {
        for (const auto& form : forms_)
            for (auto at = line.find(form.reveal()); at != std::string::npos;
                 at = line.find(form.reveal(), at + mask.size()))
                line.replace(at, form.reveal().size(), mask);
        mask_at_end(line);
    }
}

}  // namespace outpost::upstream
