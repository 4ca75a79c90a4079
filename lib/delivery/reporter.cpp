#include "delivery/reporter.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"

namespace outpost::delivery {
namespace {

namespace asio = boost::asio;

/// A header section beyond this is cut: a report about it is worth more than all of it.
constexpr std::size_t most_header = std::size_t{256} << 10;

/// The message, or its header section with the empty line; as far as it can be read.
asio::awaitable<std::string> front_of(spool::BodySource& body, bool whole) {
    std::string octets;
    body.rewind();
    for (;;) {
        const auto piece = co_await body.next();
        if (!piece) {
            base::log::warning("original unreadable", {{"reason", piece.error()}});
            break;
        }
        if (piece->empty()) break;
        const std::size_t searched = octets.size() < 3 ? 0 : octets.size() - 3;
        octets.append(*piece);
        if (whole) continue;
        if (const auto end = octets.find("\r\n\r\n", searched); end != std::string::npos) {
            octets.resize(end + 4);
            break;
        }
        if (octets.size() > most_header) break;
    }
    co_return octets;
}

spool::Content content_of(std::string message) {
    const auto end = message.find("\r\n\r\n");
    const std::size_t head = end == std::string::npos ? message.size() : end + 4;
    return {.head = message.substr(0, head), .data = std::move(message), .data_offset = head};
}

}  // namespace

std::string report_author(const config::Config& config) {
    if (!config.dsn.from.empty()) return config.dsn.from;
    return fmt::format("Mail Delivery System <mailer-daemon@{}>", config.hostname);
}

Reporter::Reporter(spool::Spool& spool, const base::Clock& clock, const config::Config& config)
    : spool_(spool), clock_(clock), hostname_(config.hostname), dsn_(config.dsn) {
    dsn_.from = report_author(config);
}

asio::awaitable<std::expected<base::MessageId, std::string>> Reporter::send(
    base::MessageId original, spool::StoredMessage& message,
    const std::vector<message::DsnRecipient>& recipients) {
    const smtp::Envelope& envelope = message.envelope;
    const std::uint64_t size = message.body->size();
    const bool whole = message::dsn_returns_full(envelope, recipients, size);
    const std::string octets = co_await front_of(*message.body, whole);
    const std::string random = base::random_word();
    const base::MessageId id = spool_.next_id();
    message::Dsn dsn = message::build_dsn(
        {.id = id,
         .original_id = original,
         .hostname = hostname_,
         .from = dsn_.from,
         .to = dsn_.to == config::Dsn::To::address ? dsn_.to_address : envelope.reverse_path,
         .now = clock_.wall(),
         .random = random,
         .envelope = envelope,
         .recipients = recipients,
         .original = octets,
         .original_complete = octets.size() == size});
    // A report has no client; here its way survives a restart, where dsn.via does not say it.
    dsn.envelope.client = envelope.account;
    dsn.envelope.priority = envelope.priority;
    spool::NewMessage report{
        .id = id, .envelope = std::move(dsn.envelope), .body = content_of(std::move(dsn.message))};
    const auto stored = co_await spool_.append(std::move(report));
    if (!stored) co_return std::unexpected(stored.error().reason);
    co_return id;
}

}  // namespace outpost::delivery
