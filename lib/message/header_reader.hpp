#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Splits a message's header section into fields without copying. What a later hop or a mail reader
/// could take for a field is seen as that field here (white space before the colon, any case), and
/// what two readers could see differently (NUL, bare CR or LF, foreign octets in a name, a name
/// folded away from its colon) is a HeaderProblem, for which the message is refused. A line that is
/// no field ends the section; fix_up() puts the missing empty line in front of it, so that every
/// later hop agrees on where the body begins.
namespace outpost::message {

/// The fields that policy, fix-ups, priority and reports look at.
enum class FieldKind : std::uint8_t {
    other,
    from,
    sender,
    reply_to,
    resent_from,
    resent_sender,
    date,
    message_id,
    subject,
    bcc,
    resent_bcc,
    return_path,
    received,
    x_priority,
    importance,
    priority,
    x_msmail_priority,
    mime_version,
    content_type,
    dkim_signature,
};
inline constexpr std::size_t field_kinds = 20;

/// The kind that a field name stands for, whatever its case.
[[nodiscard]] FieldKind field_kind(std::string_view name) noexcept;

struct HeaderField {
    FieldKind kind = FieldKind::other;
    bool spaced_colon = false;  ///< white space before the colon (RFC 5322 section 4.5, obsolete)
    std::string_view name;      ///< as written, without white space
    std::string_view value;     ///< after the colon; folds included, the last CRLF not
    std::size_t offset = 0;     ///< of the field's first octet in the message
    std::size_t size = 0;       ///< octets of the whole field, the last CRLF included
};

/// Why a header section cannot be trusted. The caller answers 550 5.6.0 with `text`.
struct HeaderProblem {
    enum class Kind : std::uint8_t { nul, bare_newline, bad_name, folded_name, too_long };
    Kind kind;
    std::size_t offset = 0;  ///< where in the message
    std::string text;        ///< `header section has a bare LF at octet 120: ...`
};

struct HeaderLimits {
    std::size_t octets = 256 << 10;
    std::size_t fields = 2000;
};

/// All views point into the octets given to read_header.
struct HeaderSection {
    std::vector<HeaderField> fields;
    std::size_t end = 0;          ///< octets of all fields together: where the empty line belongs
    std::size_t body_offset = 0;  ///< end, plus the empty line if there is one
    /// An empty line, or a whole line that is no field, ended the section, or it is over a limit.
    /// If false and more octets of the message are to come, only a call with more of them tells.
    bool ended = false;
    bool eight_bit = false;  ///< an octet over 127: the message needs SMTPUTF8 (RFC 6531)
    std::optional<HeaderProblem> problem;  ///< the first one found

    [[nodiscard]] bool has_empty_line() const noexcept { return body_offset != end; }
    [[nodiscard]] unsigned count(FieldKind kind) const noexcept {
        return counts[static_cast<std::size_t>(kind)];
    }
    /// The first field of a kind.
    [[nodiscard]] const HeaderField* find(FieldKind kind) const noexcept;

    std::array<std::uint16_t, field_kinds> counts{};
};

/// Reads the header section at the front of `message`. Never throws but for memory; every octet
/// before body_offset has been looked at.
[[nodiscard]] HeaderSection read_header(std::string_view message, const HeaderLimits& limits = {});

/// A field's value on one line: folds taken out (RFC 5322 section 2.2.3), trimmed.
[[nodiscard]] std::string unfold(std::string_view value);

}  // namespace outpost::message
