#include "message/test_message.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "message/header_edit.hpp"
#include "message/transcode.hpp"

namespace outpost::message {
namespace {

/// Encoded by RFC 2047 it is still within the 998 octets of a line (RFC 5322 section 2.1.1).
constexpr std::size_t longest_subject = 255;

bool is_control(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 32 || octet == 127;
}

}  // namespace

std::optional<std::string> subject_fault(std::string_view subject) {
    const auto fault = [&](std::string_view what) {
        return fmt::format("subject \"{}\" {}", base::printable(subject, 64), what);
    };
    if (std::ranges::any_of(subject, is_control))
        return fault("has control characters or line ends; write one line of text");
    if (!base::is_utf8(subject)) return fault("is not UTF-8");
    if (subject.size() > longest_subject)
        return fault(
            fmt::format("has {} octets; {} are the most", subject.size(), longest_subject));
    return std::nullopt;
}

std::string build_test_message(const TestMessage& test) {
    const std::string subject = test.subject.empty()
                                    ? fmt::format("Test from Outpost ({})", test.upstream)
                                    : std::string(test.subject);
    const std::string date = base::rfc5322_date(test.now);
    const std::string body = fmt::format(
        "This is a test message. An operator of Outpost has sent it, to see\r\n"
        "whether mail gets through. No answer is needed.\r\n"
        "\r\n"
        "Host:     {}\r\n"
        "Upstream: {}\r\n"
        "Sent:     {}\r\n"
        "Id:       {}\r\n",
        test.hostname, test.upstream, date, test.id.text());
    const bool eight_bit = has_eight_bit(body);
    return fmt::format(
        "From: <{}>\r\n"
        "To: <{}>\r\n"
        "Subject: {}\r\n"
        "Date: {}\r\n"
        "Message-ID: <{}.{}@{}>\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset={}\r\n"
        "Content-Transfer-Encoding: {}\r\n"
        "\r\n"
        "{}",
        test.from, test.to, encode_text(subject), date, test.id.text(), test.random, test.hostname,
        eight_bit ? "utf-8" : "us-ascii", eight_bit ? "8bit" : "7bit", body);
}

}  // namespace outpost::message
