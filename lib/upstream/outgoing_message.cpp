#include "upstream/outgoing_message.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/text.hpp"
#include "message/transcode.hpp"

namespace outpost::upstream {

namespace {

using boost::asio::awaitable;
using smtp::BodyType;

std::unexpected<Outcome> defer(std::string words) {
    Outcome outcome;
    outcome.verdict = Verdict::deferred;
    outcome.scope = Scope::message;
    outcome.reply = smtp::own_words(std::move(words));
    return std::unexpected(std::move(outcome));
}

/// Whether the header section at the front of `text` holds octets over 127.
bool has_utf8_header(std::string_view text) {
    return !base::is_ascii(text.substr(0, text.find("\r\n\r\n")));
}

}  // namespace

void OutgoingMessage::need_smtputf8_for_addresses(const Delivery& delivery) {
    needs_smtputf8_ = !base::is_ascii(envelope_.reverse_path);
    for (const auto index : delivery.recipients)
        needs_smtputf8_ = needs_smtputf8_ || !base::is_ascii(envelope_.recipients[index].address);
}

std::uint64_t OutgoingMessage::size() const noexcept {
    return memory_ ? memory_->size() : source_.size();
}

spool::BodySource& OutgoingMessage::source() noexcept {
    source_.rewind();
    return source_;
}

awaitable<OutgoingMessage::Checked> OutgoingMessage::load() {
    if (loaded_) co_return Checked{};
    source_.rewind();
    const bool is_small = source_.size() <= small;
    if (!is_small && !envelope_.smtputf8) {
        loaded_ = true;
        co_return Checked{};
    }
    auto piece = co_await source_.next();
    if (!piece) co_return defer(std::move(piece.error()));
    if (envelope_.smtputf8) needs_smtputf8_ = needs_smtputf8_ || has_utf8_header(*piece);
    if (is_small && piece->size() == source_.size()) {
        original_ = *piece;
    } else if (is_small) {
        while (!piece->empty()) {
            stored_ += *piece;
            piece = co_await source_.next();
            if (!piece) co_return defer(std::move(piece.error()));
        }
        if (envelope_.smtputf8) needs_smtputf8_ = needs_smtputf8_ || has_utf8_header(stored_);
        original_ = stored_;
    }
    loaded_ = true;
    co_return Checked{};
}

awaitable<OutgoingMessage::Checked> OutgoingMessage::prepare(const smtp::Extensions& offered) {
    if (auto loaded = co_await load(); !loaded) co_return loaded;
    memory_ = original_;
    if (needs_smtputf8_ && !offered.smtputf8)
        co_return cannot_carry(
            {5, 6, 7},
            "the message needs SMTPUTF8 (an address or header field with characters "
            "other than ASCII), which the upstream does not offer");
    const bool binary = envelope_.body == BodyType::binary_mime;
    if (binary && offered.binary_mime && offered.chunking) {
        body_ = BodyType::binary_mime;
    } else if (!binary && offered.eight_bit_mime) {
        // What was not declared may be 8-bit all the same; a large message is not read for it.
        const bool declared = envelope_.body == BodyType::eight_bit_mime || !memory_;
        body_ = declared || message::has_eight_bit(*memory_) ? BodyType::eight_bit_mime
                                                             : BodyType::seven_bit;
    } else {
        body_ = BodyType::seven_bit;
        const auto eight_bit = co_await has_eight_bit();
        if (!eight_bit) co_return std::unexpected(eight_bit.error());
        if (binary || *eight_bit)
            if (auto done = co_await re_encode(); !done) co_return done;
    }
    if (offered.size && *offered.size > 0 && size() > *offered.size)
        co_return cannot_carry({5, 3, 4},
                               fmt::format("the message of {} octets is over the upstream's "
                                           "limit of {} octets (SIZE)",
                                           size(), *offered.size));
    co_return Checked{};
}

awaitable<std::expected<bool, Outcome>> OutgoingMessage::has_eight_bit() {
    if (eight_bit_) co_return *eight_bit_;
    if (original_) {
        eight_bit_ = message::has_eight_bit(*original_);
        co_return *eight_bit_;
    }
    source_.rewind();
    bool found = false;
    for (;;) {
        auto piece = co_await source_.next();
        if (!piece) co_return defer(std::move(piece.error()));
        found = found || message::has_eight_bit(*piece);
        if (piece->empty() || found) break;
    }
    eight_bit_ = found;
    co_return found;
}

awaitable<std::expected<std::string, Outcome>> OutgoingMessage::read_all() {
    std::string whole;
    whole.reserve(source_.size());
    source_.rewind();
    for (;;) {
        auto piece = co_await source_.next();
        if (!piece) co_return defer(std::move(piece.error()));
        if (piece->empty()) break;
        whole += *piece;
    }
    co_return whole;
}

awaitable<OutgoingMessage::Checked> OutgoingMessage::re_encode() {
    if (!seven_bit_) {
        std::string whole;
        if (original_) {
            whole = *original_;
        } else {
            auto read = co_await read_all();
            if (!read) co_return std::unexpected(std::move(read.error()));
            whole = std::move(*read);
        }
        auto work = [text = std::move(whole)] { return message::to_seven_bit(text); };
        auto done = co_await pool_.run(std::move(work));
        if (!done) co_return defer("too many messages wait for being re-encoded to 7 bit");
        if (!*done) co_return cannot_carry({5, 6, 3}, std::move(done->error().text));
        seven_bit_ = std::move(**done);
    }
    memory_ = *seven_bit_;
    co_return Checked{};
}

}  // namespace outpost::upstream
