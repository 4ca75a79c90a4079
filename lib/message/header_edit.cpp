#include "message/header_edit.hpp"

#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "message/gmime_object.hpp"

namespace outpost::message {

namespace {

constexpr std::size_t line_length = 78;  ///< RFC 5322 section 2.1.1

constexpr std::array address_fields{
    std::string_view("from"),        std::string_view("sender"),
    std::string_view("reply-to"),    std::string_view("to"),
    std::string_view("cc"),          std::string_view("bcc"),
    std::string_view("resent-from"), std::string_view("resent-sender"),
    std::string_view("resent-to"),   std::string_view("resent-cc"),
};

constexpr std::array control_prefixes{
    std::string_view("x-ses-"), std::string_view("x-mc-"),      std::string_view("x-mailgun-"),
    std::string_view("x-mj-"),  std::string_view("x-mailjet-"), std::string_view("x-pm-"),
    std::string_view("x-sib-"), std::string_view("x-mailin-"),  std::string_view("x-smtp2go-"),
};
constexpr std::array control_names{
    std::string_view("x-smtpapi"),
    std::string_view("x-msys-api"),
};

/// ftext of RFC 5322 section 3.6.8.
bool is_field_name(std::string_view name) noexcept {
    return !name.empty() &&
           std::ranges::all_of(name, [](char c) { return c > 32 && c < 127 && c != ':'; });
}

/// On one line: what could end the field, or a reader's patience, becomes a space.
std::string one_line(std::string_view value) {
    std::string out(value);
    for (char& c : out) {
        const auto octet = static_cast<unsigned char>(c);
        if ((octet < 32 && c != '\t') || octet == 127) c = ' ';
    }
    return std::string(base::trim(out));
}

/// RFC 2047 section 2: encoded words of at most 75 characters, each of whole characters. GMime's
/// phrases leave a `=` as it is.
std::string encoded_words(std::string_view text) {
    constexpr std::size_t most = 45;  // octets, which are 60 characters of Base64
    std::string out;
    while (!text.empty()) {
        std::size_t size = std::min(most, text.size());
        while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
            --size;
        out += out.empty() ? "=?utf-8?B?" : " =?utf-8?B?";
        out += base::base64_encode(text.substr(0, size)) + "?=";
        text.remove_prefix(size);
    }
    return out;
}

void encode_names(InternetAddressList* list) {
    for (int i = 0; i < internet_address_list_length(list); ++i) {
        InternetAddress* one = internet_address_list_get_address(list, i);
        const char* name = internet_address_get_name(one);
        if (name != nullptr && !base::is_ascii(name))
            internet_address_set_name(one, encoded_words(name).c_str());
        if (INTERNET_ADDRESS_IS_GROUP(one))
            if (auto* members = internet_address_group_get_members(INTERNET_ADDRESS_GROUP(one)))
                encode_names(members);
    }
}

std::string taken(OwnedText text) {
    std::string out;
    for (const char* c = text.get(); c != nullptr && *c != '\0'; ++c)
        if (*c != '\r' && *c != '\n') out.push_back(*c == '\t' ? ' ' : *c);
    return out;
}

/// RFC 2047: in address fields only the names, elsewhere the words that need it. What is not UTF-8
/// stays as it is, as do local parts and what is no list of addresses (RFC 6532).
std::string encoded(std::string_view name, std::string value) {
    if (base::is_ascii(value) || !base::is_utf8(value)) return value;
    initialize_gmime();
    const bool addresses = std::ranges::any_of(
        address_fields, [&](std::string_view field) { return base::iequals(field, name); });
    if (!addresses) return encode_text(value);
    const Owned<InternetAddressList> list(internet_address_list_parse(nullptr, value.c_str()));
    if (!list || internet_address_list_length(list.get()) == 0) return value;
    encode_names(list.get());
    return taken(OwnedText(internet_address_list_to_string(list.get(), nullptr, TRUE)));
}

/// `Name: value` in lines of 78 octets, as far as its white space allows. A line of white space
/// alone ends no header section, but some readers think so: there is none.
std::string folded(std::string_view name, std::string_view value) {
    std::string out = std::string(name) + ":";
    std::size_t column = out.size();
    while (!value.empty()) {
        const auto blank = value.find_first_not_of(" \t");
        if (blank == std::string_view::npos) break;
        const auto end = std::min(value.find_first_of(" \t", blank), value.size());
        const bool first = column == name.size() + 1;
        const std::string_view space = blank > 0 ? value.substr(0, blank) : std::string_view(" ");
        if (!first && column + end > line_length) {
            out += "\r\n";
            column = 0;
        }
        out.append(space).append(value.substr(blank, end - blank));
        column += space.size() + end - blank;
        value.remove_prefix(end);
    }
    return out + "\r\n";
}

}  // namespace

std::string edit_header(std::string_view message, const HeaderSection& section,
                        const HeaderEdit& edit) {
    std::vector<bool> placed(edit.set.size(), false);
    std::string out;
    out.reserve(section.end + 256);
    const auto put = [&](std::size_t i) {
        const auto& [name, value] = edit.set[i];
        placed[i] = true;
        if (is_field_name(name)) out += folded(name, encoded(name, one_line(value)));
    };
    for (const HeaderField& field : section.fields) {
        const auto set = std::ranges::find_if(
            edit.set, [&](const auto& entry) { return base::iequals(entry.first, field.name); });
        if (set != edit.set.end()) {
            const auto i = static_cast<std::size_t>(set - edit.set.begin());
            if (!placed[i]) put(i);
            continue;
        }
        if (edit.drop && edit.drop(field.name)) continue;
        out += message.substr(field.offset, field.size);
        if (!out.ends_with("\r\n")) out += "\r\n";
    }
    for (std::size_t i = 0; i < edit.set.size(); ++i)
        if (!placed[i]) put(i);
    return out + "\r\n";
}

std::string encode_text(std::string_view text) {
    const std::string value = one_line(text);
    if (base::is_ascii(value) || !base::is_utf8(value)) return value;
    initialize_gmime();
    return taken(OwnedText(g_mime_utils_header_encode_text(nullptr, value.c_str(), "utf-8")));
}

bool is_provider_control(std::string_view name) noexcept {
    if (!base::iequals(name.substr(0, 2), "x-")) return false;  // what most fields are
    return std::ranges::any_of(control_prefixes,
                               [&](std::string_view prefix) {
                                   return base::iequals(name.substr(0, prefix.size()), prefix);
                               }) ||
           std::ranges::any_of(control_names, [&](std::string_view control) {
               return base::iequals(name, control);
           });
}

}  // namespace outpost::message
