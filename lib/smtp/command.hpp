#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "smtp/envelope.hpp"
#include "smtp/path.hpp"

/// The commands of a client as values, one struct a verb.
namespace outpost::smtp {

struct EhloCommand {
    /// As the client gave it, but characters unfit for a Received field became `?`. Not verified.
    std::string domain;
    bool operator==(const EhloCommand&) const = default;
};
struct HeloCommand {
    std::string domain;  ///< as in EhloCommand
    bool operator==(const HeloCommand&) const = default;
};
struct StartTlsCommand {
    bool operator==(const StartTlsCommand&) const = default;
};
/// RFC 4954 section 4.
struct AuthCommand {
    std::string mechanism;  ///< upper case
    /// Octets, base64 undone; `=` is the empty string. Secret: never log it.
    std::optional<std::string> initial_response;
    bool operator==(const AuthCommand&) const = default;
};
/// BY of RFC 2852 section 4, as the client gave it.
struct ByParameter {
    std::chrono::seconds time{0};  ///< from now on; over 0 with mode R
    DeliverBy::Mode mode = DeliverBy::Mode::notify;
    bool trace = false;
    bool operator==(const ByParameter&) const = default;
};
struct MailCommand {
    std::optional<Mailbox> reverse_path;  ///< nothing: the null reverse-path
    std::optional<std::uint64_t> size;    ///< RFC 1870; what exceeds 64 bits is their maximum
    BodyType body = BodyType::seven_bit;
    bool smtputf8 = false;
    Ret ret = Ret::unspecified;
    std::string envid;  ///< xtext as sent, decodes to printable ASCII
    std::optional<std::int8_t> mt_priority;
    std::optional<std::chrono::seconds> hold_for{};  ///< RFC 4865; at most one of these two
    std::optional<base::WallTime> hold_until{};
    std::optional<ByParameter> by{};
    bool operator==(const MailCommand&) const = default;
};
struct RcptCommand {
    Mailbox forward_path;
    Notify notify;
    std::string orcpt;  ///< addr-type `;` address as sent, decodes to text without controls

    bool operator==(const RcptCommand&) const = default;
    /// `<Postmaster>` without a domain (RFC 5321 section 4.5.1); forward_path.domain is empty.
    [[nodiscard]] bool is_postmaster() const noexcept { return forward_path.domain.empty(); }
};
struct DataCommand {
    bool operator==(const DataCommand&) const = default;
};
/// RFC 3030 section 2. The chunk's octets follow the line at once.
struct BdatCommand {
    std::uint64_t size = 0;
    bool last = false;
    bool operator==(const BdatCommand&) const = default;
};
struct RsetCommand {
    bool operator==(const RsetCommand&) const = default;
};
struct NoopCommand {
    bool operator==(const NoopCommand&) const = default;
};
struct VrfyCommand {
    std::string argument;
    bool operator==(const VrfyCommand&) const = default;
};
struct ExpnCommand {
    std::string argument;
    bool operator==(const ExpnCommand&) const = default;
};
struct HelpCommand {
    bool operator==(const HelpCommand&) const = default;
};
struct QuitCommand {
    bool operator==(const QuitCommand&) const = default;
};
/// A well-formed line whose verb is none of ours: 500 5.5.1.
struct UnknownCommand {
    std::string verb;  ///< printable and short
    bool operator==(const UnknownCommand&) const = default;
};

using Command = std::variant<EhloCommand, HeloCommand, StartTlsCommand, AuthCommand, MailCommand,
                             RcptCommand, DataCommand, BdatCommand, RsetCommand, NoopCommand,
                             VrfyCommand, ExpnCommand, HelpCommand, QuitCommand, UnknownCommand>;

}  // namespace outpost::smtp
