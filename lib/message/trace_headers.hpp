#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "message/header_reader.hpp"

namespace outpost::message {

/// More Received fields than this is a mail loop: 554 5.4.6 (RFC 5321 section 6.3).
inline constexpr unsigned max_received_fields = 50;

/// What the session knows of a transaction, for the fix-ups. Views are used during the call only;
/// what a client chose freely (helo, account) is made harmless here.
struct TraceFacts {
    std::string_view hostname{};        ///< ours
    std::string_view client_address{};  ///< `192.0.2.1` or `2001:db8::1`, no brackets
    std::string_view client_name{};     ///< from reverse lookup; empty: left out
    std::string_view helo{};            ///< EHLO argument as sent
    bool esmtp = true;                  ///< EHLO, not HELO
    bool tls = false;
    bool authenticated = false;
    bool smtputf8 = false;          ///< MAIL had SMTPUTF8
    bool provider_headers = false;  ///< is_provider_control() fields are kept
    std::string_view tls_text{};    ///< `TLSv1.3 with cipher TLS_AES_256_GCM_SHA384`; may be empty
    std::string_view account{};     ///< shown in Received; empty: not shown
    std::string_view recipient{};   ///< `local@domain` of the only recipient; empty if several
    base::MessageId id{};
    base::WallTime now{};
    std::string_view random{};  ///< a few letters and digits that nobody can guess
};

/// The start of the message as it is to be stored; the rest is the original from `data_offset` on.
/// Fits spool::Content as it is.
struct FixedHeader {
    std::string head{};           ///< not the whole header section: only what had to be written
    std::size_t data_offset = 0;  ///< 0 where nothing but Received had to be added
};

/// `SMTP`, `ESMTPSA`, `UTF8SMTPS`, ... (RFC 3848, RFC 6531 section 4.3).
[[nodiscard]] std::string_view protocol_name(const TraceFacts& facts) noexcept;

/// Our Received field, folded, with its CRLF (RFC 5321 section 4.4).
[[nodiscard]] std::string received_field(const TraceFacts& facts);

/// The fix-ups of RFC 6409 section 8: Received on top; Date and Message-ID at the end of the header
/// section where missing; every Bcc, Resent-Bcc and Return-Path taken out, and unless the facts say
/// otherwise what a provider would obey; the empty line put in where it is missing. All else stays
/// octet for octet. `header` is read_header(message).
[[nodiscard]] FixedHeader fix_up(std::string_view message, const HeaderSection& header,
                                 const TraceFacts& facts);

}  // namespace outpost::message
