#include "upstream/api_message.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <utility>

#include "base/octets.hpp"
#include "base/text.hpp"
#include "config/domain_name.hpp"
#include "message/address_list.hpp"
#include "message/header_edit.hpp"
#include "message/header_reader.hpp"
#include "message/transcode.hpp"
#include "smtp/client_machine.hpp"
#include "upstream/provider/api_recipients.hpp"

namespace outpost::upstream {

namespace {

using message::FieldKind;
using message::MimeObstacle;

smtp::EnhancedStatus status_of(MimeObstacle::Kind kind) {
    switch (kind) {
        case MimeObstacle::Kind::encoding: return {5, 6, 5};
        case MimeObstacle::Kind::header: return {5, 6, 0};
        case MimeObstacle::Kind::protected_content:
        case MimeObstacle::Kind::report:
        case MimeObstacle::Kind::structure: break;
    }
    return {5, 6, 3};
}

std::string author_of(const message::HeaderSection& section) {
    const auto* from = section.find(FieldKind::from);
    if (from == nullptr) return {};
    const auto list = message::parse_address_list(message::unfold(from->value));
    if (!list || list->empty()) return {};
    return list->front().local + "@" + base::to_lower(list->front().domain);
}

/// The message without what no provider may see, and its author.
PreparedMessage stripped(std::string_view message) {
    const auto section = message::read_header(message);
    message::HeaderEdit edit;
    edit.drop = [&](std::string_view name) {
        const auto kind = message::field_kind(name);
        return kind == FieldKind::bcc || kind == FieldKind::resent_bcc ||
               kind == FieldKind::return_path;
    };
    PreparedMessage prepared;
    prepared.raw = message::edit_header(message, section, edit);
    prepared.raw += message.substr(section.body_offset);
    prepared.author = author_of(section);
    return prepared;
}

}  // namespace

std::expected<PreparedMessage, Outcome> prepare_message(const Provider& provider,
                                                        std::string_view message, bool binary) {
    auto prepared = stripped(message);
    if (provider.form == MessageForm::taken_apart) {
        auto content = message::take_apart(prepared.raw);
        if (!content)
            return cannot_carry(status_of(content.error().kind),
                                fmt::format("{} cannot carry the message: {}", provider.title,
                                            content.error().text));
        prepared.content = std::move(*content);
        return prepared;
    }
    const bool not_utf8 = provider.utf8 && !base::is_utf8(prepared.raw);
    if (binary || not_utf8) {
        auto encoded = message::to_seven_bit(prepared.raw);
        if (!encoded)
            return cannot_carry({5, 6, 3}, fmt::format("{} cannot carry the message: {}",
                                                       provider.title, encoded.error().text));
        prepared.raw = std::move(*encoded);
    }
    if (not_utf8 && !base::is_utf8(prepared.raw))
        return cannot_carry({5, 6, 3},
                            fmt::format("{} cannot carry the message: its header section holds "
                                        "octets that are not UTF-8",
                                        provider.title));
    return prepared;
}

std::expected<std::string, Outcome> api_address(const Provider& provider,
                                                std::string_view address) {
    const auto at = address.rfind('@');
    const auto local = address.substr(0, at);
    if (!base::is_ascii(local))
        return cannot_carry({5, 6, 7},
                            fmt::format("{} takes no address with characters other than ASCII "
                                        "before the @",
                                        provider.title));
    if (at == std::string_view::npos) return std::string(address);
    const auto domain = address.substr(at + 1);
    if (base::is_ascii(domain)) return std::string(address);
    const auto ascii = config::canonical_domain(domain);
    if (!ascii)
        return cannot_carry({5, 6, 7},
                            fmt::format("the domain {} has no form in ASCII, as {} wants it",
                                        base::printable(domain, 100), provider.title));
    return fmt::format("{}@{}", local, *ascii);
}

std::string idempotency_key(std::string_view id, std::string_view reverse_path,
                            std::span<const std::string> recipients, std::string_view raw) {
    std::string call;
    base::put_text<std::uint32_t>(call, id);
    base::put_text<std::uint32_t>(call, reverse_path);
    for (const auto& recipient : recipients) base::put_text<std::uint32_t>(call, recipient);
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(raw.data()), raw.size(), digest.data());
    call.append(digest.begin(), digest.end());
    SHA256(reinterpret_cast<const unsigned char*>(call.data()), call.size(), digest.data());
    digest[6] = static_cast<unsigned char>((digest[6] & 0x0F) | 0x80);
    digest[8] = static_cast<unsigned char>((digest[8] & 0x3F) | 0x80);
    std::string text;
    for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += fmt::format("{:02x}", digest[i]);
    }
    return text;
}

std::expected<net::HttpRequest, Outcome> build_request(const Provider& provider,
                                                       const ProviderSettings& settings,
                                                       const ApiMessage& message) {
    auto request = provider.request(message, settings);
    if (!request) return cannot_carry(request.error().status, std::move(request.error().text));
    const auto size = request->body.size();
    if (provider.max_request > 0 && size > provider.max_request)
        return cannot_carry({5, 3, 4},
                            fmt::format("the request to {} would have {} octets, of which it takes "
                                        "{}",
                                        provider.title, size, provider.max_request));
    request->http2 = provider.idempotent;
    return std::move(*request);
}

std::vector<std::vector<std::uint32_t>> split_recipients(const Provider& provider,
                                                         const PreparedMessage& message,
                                                         std::span<const std::string> recipients) {
    if (provider.split != nullptr) return provider.split(message.raw, recipients);
    const auto* content = message.content ? &*message.content : nullptr;
    return api::split(content, recipients, provider.recipients);
}

}  // namespace outpost::upstream
