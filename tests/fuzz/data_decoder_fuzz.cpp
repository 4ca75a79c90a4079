// links: smtp
// The DATA decoder against a plain, octet-by-octet reading of the rules, whole and in pieces; and
// the encoder, whose output must decode to what went in.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "smtp/data_decoder.hpp"
#include "smtp/data_encoder.hpp"

namespace {

using namespace outpost::smtp;

void require(bool holds) {
    if (!holds) std::abort();
}

struct Decoded {
    std::string message;
    std::size_t consumed = 0;
    bool complete = false;
    BodyFault fault = BodyFault::none;
    bool operator==(const Decoded&) const = default;
};

Decoded decode(const BodyRules& rules, std::string_view input, std::size_t step) {
    DataDecoder decoder(rules);
    Decoded out;
    while (!input.empty() && !out.complete) {
        const auto piece = input.substr(0, step);
        const auto progress = decoder.feed(piece, out.message);
        require(progress.complete || progress.consumed == piece.size());
        out.consumed += progress.consumed;
        out.complete = progress.complete;
        input.remove_prefix(progress.consumed);
    }
    out.fault = decoder.fault();
    if (out.fault != BodyFault::none) out.message.clear();
    require(out.message.size() <= rules.max_size);
    return out;
}

/// The octets that a message of a strict peer has, or nothing if it breaks a rule. Slow and plain.
Decoded expected(const BodyRules& rules, std::string_view input) {
    Decoded out;
    const auto end = input.starts_with(".\r\n") ? 0 : input.find("\r\n.\r\n");
    out.complete = end != std::string_view::npos;
    if (!out.complete) return out;
    const auto wire = input.substr(0, input.starts_with(".\r\n") ? 0 : end + 2);
    out.consumed = wire.size() + 3;
    for (std::string_view rest = wire; !rest.empty();) {
        const auto length = rest.find("\r\n");
        auto line = rest.substr(0, length);
        rest.remove_prefix(length + 2);
        if (line.starts_with('.')) line.remove_prefix(1);
        if (line.find_first_of("\r\n") != std::string_view::npos)
            out.fault = BodyFault::bare_newline;
        if (out.fault == BodyFault::none && line.contains('\0')) out.fault = BodyFault::nul;
        if (out.fault == BodyFault::none && line.size() > rules.max_line)
            out.fault = BodyFault::line_too_long;
        out.message.append(line).append("\r\n");
    }
    return out;
}

void check_decoder(std::string_view input, std::size_t step) {
    for (const auto policy : {BareNewlinePolicy::reject, BareNewlinePolicy::normalize}) {
        const BodyRules rules{.max_size = 512, .max_line = 48, .newlines = policy, .binary = false};
        const auto whole = decode(rules, input, input.size());
        require(whole == decode(rules, input, step));
        require(whole == decode(rules, input, 1));
        const auto plain = expected(rules, input);
        require(plain.complete == whole.complete);
        if (!plain.complete) continue;
        require(plain.consumed == whole.consumed);
        if (plain.fault == BodyFault::bare_newline || whole.fault == BodyFault::too_big) continue;
        if (plain.fault == BodyFault::none) require(plain.message == whole.message);
        if (policy == BareNewlinePolicy::reject)
            require((plain.fault == BodyFault::none) == (whole.fault == BodyFault::none));
    }
}

/// Every newline of any kind as CRLF, and one at the end.
std::string normal_form(std::string_view message) {
    std::string out;
    for (std::size_t i = 0; i < message.size(); ++i) {
        const char c = message[i];
        if (c == '\r' && i + 1 < message.size() && message[i + 1] == '\n') ++i;
        if (c == '\r' || c == '\n') {
            out += "\r\n";
        } else {
            out += c;
        }
    }
    if (!out.empty() && !out.ends_with("\r\n")) out += "\r\n";
    return out;
}

std::string encode(std::string_view message, std::size_t step) {
    DataEncoder encoder;
    std::string scratch;
    std::string out;
    for (std::size_t i = 0; i < message.size(); i += step)
        out += encoder.encode(message.substr(i, step), scratch);
    return out.append(encoder.finish());
}

void check_encoder(std::string_view message, std::size_t step) {
    const auto wire = encode(message, std::max<std::size_t>(message.size(), 1));
    require(wire == encode(message, step));
    const BodyRules rules{.max_size = 1UL << 20, .max_line = 1UL << 20};
    const auto decoded = decode(rules, wire, wire.size());
    require(decoded.complete && decoded.consumed == wire.size());
    if (message.contains('\0')) return;
    require(decoded.fault == BodyFault::none && decoded.message == normal_form(message));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::size_t step = 1 + data[0] % 32;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    check_decoder(input, step);
    check_encoder(input, step);
    return 0;
}
