// links: smtp base
// Command lines through the line reader, whole and in two pieces: the same events either way, and
// what the parser accepts is fit to be passed on and shown.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "smtp/command_parser.hpp"
#include "smtp/line_reader.hpp"
#include "smtp/xtext.hpp"

namespace {

using namespace outpost::smtp;

void require(bool holds) {
    if (!holds) std::abort();
}

bool is_single_line(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

void check_mailbox(const Mailbox& mailbox, bool utf8) {
    const auto address = mailbox.address();
    require(address.size() <= 254 && is_single_line(address));
    require(utf8 || outpost::base::is_ascii(address));
    require(parse_mailbox(address, utf8) == mailbox);
}

void check(const Command& command, bool smtputf8) {
    if (const auto* mail = std::get_if<MailCommand>(&command)) {
        if (mail->reverse_path) check_mailbox(*mail->reverse_path, mail->smtputf8);
        require(mail->envid.empty() || xtext_decode(mail->envid));
        require(!mail->hold_for || (mail->hold_for->count() > 0 && !mail->hold_until));
        require(!mail->by || mail->by->mode == DeliverBy::Mode::notify ||
                mail->by->time.count() > 0);
    } else if (const auto* rcpt = std::get_if<RcptCommand>(&command)) {
        if (!rcpt->is_postmaster()) check_mailbox(rcpt->forward_path, smtputf8);
        require(is_single_line(rcpt->orcpt));
    } else if (const auto* ehlo = std::get_if<EhloCommand>(&command)) {
        require(!ehlo->domain.empty() &&
                ehlo->domain.find_first_of(" ()<>\\") == std::string::npos);
    }
}

void parse(std::string_view line, bool smtputf8) {
    const auto command = parse_command(line, smtputf8);
    if (command) return check(*command, smtputf8);
    const auto wire = reply_to(command.error()).wire();
    require(wire.ends_with("\r\n") &&
            is_single_line(std::string_view(wire).substr(0, wire.size() - 2)));
    require(outpost::base::is_ascii(wire) && wire.size() <= 512);
}

std::vector<std::string> read(std::string_view first, std::string_view second) {
    ReceiveBuffer buffer;
    LineReader reader(64);
    std::vector<std::string> out;
    for (const auto piece : {first, second}) {
        buffer.append(piece);
        for (;;) {
            const auto event = reader.next(buffer);
            if (std::holds_alternative<NeedMore>(event)) break;
            if (const auto* line = std::get_if<Line>(&event)) {
                require(is_single_line(line->text) && line->text.size() <= 62);
                out.emplace_back(line->text);
            } else {
                out.push_back("\n" + std::string(describe(std::get<BadLine>(event).fault)));
            }
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::size_t cut = data[0];
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto lines = read(input, {});
    require(lines == read(input.substr(0, std::min(cut, input.size())),
                          input.substr(std::min(cut, input.size()))));
    for (const auto& line : lines) parse(line, cut % 2 == 0);
    parse(input, cut % 2 == 0);
    return 0;
}
