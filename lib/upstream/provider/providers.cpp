#include "upstream/provider/providers.hpp"

#include <algorithm>
#include <array>

namespace outpost::upstream {

std::span<const Provider* const> all_providers() noexcept {
    static constexpr std::array<const Provider*, 13> all{
        &brevo_provider,     &elasticemail_provider, &mailersend_provider, &mailgun_provider,
        &mailjet_provider,   &mailup_provider,       &mandrill_provider,   &postmark_provider,
        &resend_provider,    &sendgrid_provider,     &ses_provider,        &smtp2go_provider,
        &sparkpost_provider,
    };
    return all;
}

const Provider* find_provider(std::string_view type) noexcept {
    const auto all = all_providers();
    const auto found =
        std::ranges::find(all, type, [](const Provider* each) { return each->type; });
    return found == all.end() ? nullptr : *found;
}

}  // namespace outpost::upstream
