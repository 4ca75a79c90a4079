#pragma once

#include <cstdint>
#include <string>

#include "smtp/client_transaction.hpp"
#include "smtp/envelope.hpp"

namespace outpost::smtp {

/// Appends the MAIL line with the parameters that the server knows: SIZE (RFC 1870), BODY (RFC
/// 6152, 3030), SMTPUTF8 (RFC 6531), RET and ENVID (RFC 3461), MT-PRIORITY (RFC 6710), BY (RFC
/// 2852).
void append_mail(std::string& output, const TransactionPlan& plan);

/// Appends the RCPT line, with NOTIFY and ORCPT where the server offers DSN.
void append_rcpt(std::string& output, const Recipient& recipient, bool dsn);

}  // namespace outpost::smtp
