#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "message/mime_content.hpp"
#include "net/http.hpp"
#include "smtp/envelope.hpp"
#include "upstream/outcome.hpp"

/// What an email provider's API is to us: a few numbers and pure functions, one file a provider.
/// The calls themselves are made by ApiTransport.
namespace outpost::upstream {

/// The account at a provider, from the configuration.
struct ProviderSettings {
    std::string endpoint;  ///< base URL without a slash at its end; never empty
    base::Secret api_key;
    base::Secret api_secret;               ///< Mailjet, MailUp
    std::string domain;                    ///< Mailgun: the sending domain
    std::optional<net::AwsSignature> aws;  ///< SES: the credentials of this call
    std::string return_path;               ///< where bounces go, for those who can say so
};

/// How a provider wants the message.
enum class MessageForm : std::uint8_t {
    raw,         ///< RFC 5322 text
    taken_apart  ///< fields of JSON
};

/// The most recipients of one call. `total` counts all three.
struct RecipientLimits {
    std::size_t to = 50;
    std::size_t cc = 50;
    std::size_t bcc = 50;
    std::size_t total = 50;
};

/// One call: a message for some of its recipients.
struct ApiMessage {
    std::string_view id;            ///< ours; comes back in the provider's events where it can
    std::string_view reverse_path;  ///< of the envelope; empty for a null reverse-path
    /// For whom this call is: envelope addresses, domains as A-labels.
    std::span<const std::string> recipients;
    /// The message as it is to go out: fix-ups and overrides done, without Bcc, provider control
    /// fields stripped, 7-bit or valid UTF-8 where Provider::utf8 says so.
    std::string_view raw;
    const message::MimeContent* content = nullptr;  ///< set if the form is taken_apart
    /// Of this call, the same whenever it is made again: a UUID made from its octets.
    std::string_view idempotency_key;
};

/// Why a provider cannot carry a message: 5.6.x, another upstream may.
struct CannotCarry {
    smtp::EnhancedStatus status{5, 6, 0};
    std::string text;
};

using ApiRequest = std::expected<net::HttpRequest, CannotCarry>;

struct Provider {
    std::string_view type;   ///< as in the configuration: `sendgrid`
    std::string_view title;  ///< as its owners write it: `SendGrid`
    MessageForm form = MessageForm::raw;
    std::string_view endpoint;  ///< default base URL; `{region}` is replaced
    /// With `region: eu`; empty if the provider knows no such thing.
    std::string_view eu_endpoint{};
    RecipientLimits recipients;
    std::uint64_t max_request = 0;  ///< octets of the HTTP body; 0: none known
    /// 8-bit octets must be UTF-8, or re-encoded before: the message goes into a JSON string.
    bool utf8 = false;
    bool idempotent = false;  ///< it takes idempotency_key, so that a call may be repeated

    /// The call that hands the message over.
    ApiRequest (*request)(const ApiMessage& message, const ProviderSettings& settings) = nullptr;
    /// What became of each of message.recipients, in order.
    std::vector<Outcome> (*outcomes)(const net::HttpResponse& answer, const ApiMessage& message,
                                     base::WallTime now) = nullptr;
    /// The recipients in calls, each a list of indices; nullptr: api::split by `recipients`.
    std::vector<std::vector<std::uint32_t>> (*split)(
        std::string_view raw, std::span<const std::string> recipients) = nullptr;
    /// A call that shows whether the key is good without sending mail: it is, if the answer is 2xx,
    /// or `outcomes` of it is failed (who knows us says that there is no message in it).
    net::HttpRequest (*probe)(const ProviderSettings& settings) = nullptr;
};

/// The provider of that type; nullptr if there is none.
[[nodiscard]] const Provider* find_provider(std::string_view type) noexcept;
/// All of them, by type.
[[nodiscard]] std::span<const Provider* const> all_providers() noexcept;

}  // namespace outpost::upstream
