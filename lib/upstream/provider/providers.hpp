#pragma once

#include "upstream/provider/provider.hpp"

/// The providers, each with a file of its name.
namespace outpost::upstream {

extern const Provider ses_provider;
extern const Provider sendgrid_provider;
extern const Provider mailgun_provider;
extern const Provider mailersend_provider;
extern const Provider elasticemail_provider;
extern const Provider postmark_provider;
extern const Provider sparkpost_provider;
extern const Provider mailjet_provider;
extern const Provider brevo_provider;
extern const Provider mandrill_provider;
extern const Provider resend_provider;
extern const Provider smtp2go_provider;
extern const Provider mailup_provider;

}  // namespace outpost::upstream
