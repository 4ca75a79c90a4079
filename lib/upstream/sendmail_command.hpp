#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "smtp/envelope.hpp"
#include "upstream/outcome.hpp"

/// What is said to a sendmail-compatible program and what its end means. Pure.
namespace outpost::upstream {

/// `-i -f SENDER -- RCPT...`: -i, as a lone dot is no end of the message. `recipients` are indices
/// into the envelope's.
[[nodiscard]] std::vector<std::string> sendmail_arguments(
    const smtp::Envelope& envelope, std::span<const std::uint32_t> recipients);

/// How many of `recipients`, from the first and at least one, fit an argument list of `octets`.
[[nodiscard]] std::size_t sendmail_batch(const smtp::Envelope& envelope,
                                         std::span<const std::uint32_t> recipients,
                                         std::size_t octets);

/// Makes line ends what a program on Unix reads: LF for CRLF. A CR by itself is kept.
class LineFeeds {
  public:
    /// Appends the converted octets to `out`.
    void convert(std::string_view octets, std::string& out);
    /// After the last octet: appends what was held back.
    void finish(std::string& out);

  private:
    bool held_ = false;  ///< a CR at the end of what came
};

/// How the program ended. With neither code nor signal nobody knows.
struct SendmailEnd {
    std::optional<int> code;
    int signal = 0;
    bool timed_out = false;
    std::string_view output;  ///< what it wrote, in any form
};

/// The outcome for all recipients of a run. `command` is named in its words.
[[nodiscard]] Outcome classify_sendmail(std::string_view command, const SendmailEnd& end);

/// The run failed in a way that may be one recipient's doing: the code does not say whose.
[[nodiscard]] bool may_be_one_recipients_fault(const Outcome& outcome) noexcept;

}  // namespace outpost::upstream
