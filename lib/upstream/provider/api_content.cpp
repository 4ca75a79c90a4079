#include "upstream/provider/api_content.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.hpp"
#include "message/header_edit.hpp"

namespace outpost::upstream::api {

namespace {

namespace json = boost::json;

/// atext of RFC 5322 section 3.2.3, with spaces between; other characters of UTF-8 as well.
bool is_phrase(std::string_view name) noexcept {
    constexpr std::string_view specials = "()<>[]:;@\\,.\"";
    return name.find_first_of(specials) == std::string_view::npos &&
           base::trim(name).size() == name.size();
}

std::string quoted(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

bool is_refused(std::string_view name, std::span<const std::string_view> refused) {
    return std::ranges::any_of(refused, [&](std::string_view pattern) {
        if (!pattern.ends_with('*')) return base::iequals(name, pattern);
        pattern.remove_suffix(1);
        return base::iequals(name.substr(0, pattern.size()), pattern);
    });
}

}  // namespace

json::object address_object(const message::NamedAddress& who, const AddressKeys& keys) {
    json::object object{{keys.address, who.address}};
    if (!who.name.empty()) object[keys.name] = who.name;
    return object;
}

json::array address_objects(std::span<const message::NamedAddress> who, const AddressKeys& keys) {
    json::array array;
    for (const auto& one : who) array.push_back(address_object(one, keys));
    return array;
}

std::string address_text(const message::NamedAddress& who) {
    if (who.name.empty()) return who.address;
    return fmt::format("{} <{}>", is_phrase(who.name) ? who.name : quoted(who.name), who.address);
}

json::array address_texts(std::span<const message::NamedAddress> who) {
    json::array array;
    for (const auto& one : who) array.emplace_back(address_text(one));
    return array;
}

std::string address_line(std::span<const message::NamedAddress> who) {
    std::string line;
    for (const auto& one : who) line.append(line.empty() ? "" : ", ").append(address_text(one));
    return line;
}

std::optional<std::string> plain_text(const message::MimeContent& content) {
    if (content.text && !content.text->empty()) return content.text;
    if (html_text(content)) return std::nullopt;
    return "\r\n";
}

std::optional<std::string> html_text(const message::MimeContent& content) {
    if (content.html && !content.html->empty()) return content.html;
    return std::nullopt;
}

std::string subject_or_default(const message::MimeContent& content) {
    return content.subject.empty() ? "(no subject)" : content.subject;
}

std::expected<HeaderFields, CannotCarry> header_fields(const message::MimeContent& content,
                                                       const HeaderRules& rules) {
    HeaderFields fields;
    std::unordered_set<std::string> seen;
    for (const auto& [name, value] : content.headers) {
        if (is_refused(name, rules.refused)) continue;
        const std::string lower = base::to_lower(name);
        if (!seen.insert(lower).second && !rules.repeated) {
            if (lower.starts_with("x-")) continue;
            return std::unexpected(CannotCarry{
                .text = fmt::format("field {} stands more than once, and a JSON object can hold it "
                                    "once only",
                                    name)});
        }
        fields.emplace_back(name, message::encode_text(value));
    }
    const bool other_sender =
        content.sender &&
        (content.from.empty() || content.sender->address != content.from.front().address);
    if (rules.sender && other_sender) {
        message::NamedAddress sender = *content.sender;
        const bool ascii = base::is_ascii(sender.name);
        if (!ascii) sender.name = message::encode_text(sender.name);
        fields.emplace_back("Sender", ascii ? address_text(sender)
                                            : fmt::format("{} <{}>", sender.name, sender.address));
    }
    return fields;
}

json::object header_object(const HeaderFields& fields) {
    json::object object;
    for (const auto& [name, value] : fields) object.emplace(name, value);
    return object;
}

std::optional<std::string> header_value(const message::MimeContent& content,
                                        std::string_view name) {
    for (const auto& [key, value] : content.headers)
        if (base::iequals(key, name)) return value;
    return std::nullopt;
}

std::vector<std::string> message_ids(std::string_view value) {
    std::vector<std::string> ids;
    for (;;) {
        const auto begin = value.find('<');
        if (begin == std::string_view::npos) return ids;
        const auto end = value.find('>', begin);
        if (end == std::string_view::npos) return ids;
        ids.emplace_back(value.substr(begin + 1, end - begin - 1));
        value.remove_prefix(end + 1);
    }
}

CannotCarry cannot_carry(std::string_view title, std::string_view what) {
    return {.text = fmt::format("the API of {} cannot carry {}", title, what)};
}

std::optional<CannotCarry> beyond(std::string_view title, const message::MimeContent& content,
                                  const Abilities& abilities) {
    if (!abilities.inline_images &&
        std::ranges::any_of(content.attachments, &message::MimeAttachment::is_inline))
        return cannot_carry(title, "images within the HTML: it knows no Content-ID");
    if (!abilities.calendar && content.calendar)
        return cannot_carry(title, "a calendar object beside the text (text/calendar)");
    if (!abilities.several_reply_to && content.reply_to.size() > 1)
        return cannot_carry(title, "more than one address in Reply-To");
    return std::nullopt;
}

bool holds_template(const message::MimeContent& content,
                    std::initializer_list<std::string_view> marks) {
    return std::ranges::any_of(marks, [&](std::string_view mark) {
        return content.subject.contains(mark) || (content.text && content.text->contains(mark)) ||
               (content.html && content.html->contains(mark));
    });
}

net::HttpRequest get_json(std::string url) {
    net::HttpRequest request;
    request.method = "GET";
    request.url = std::move(url);
    request.headers = {{"Accept", "application/json"}};
    return request;
}

net::HttpRequest with_bearer(net::HttpRequest request, const base::Secret& key) {
    request.secret_headers.emplace_back("Authorization",
                                        base::Secret("Bearer " + std::string(key.reveal())));
    return request;
}

}  // namespace outpost::upstream::api
