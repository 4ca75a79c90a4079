#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "message/mime_content.hpp"
#include "upstream/outcome.hpp"
#include "upstream/provider/provider.hpp"

/// A stored message as a provider takes it. Pure; takes milliseconds for megabytes.
namespace outpost::upstream {

/// A message as it goes into requests.
struct PreparedMessage {
    std::string raw;
    std::optional<message::MimeContent> content;  ///< where the provider wants it taken apart
    std::string author;  ///< the address in From, domain in lower case; empty if it cannot be told
};

/// Takes Bcc out, re-encodes what the provider cannot take, and takes it apart where it wants that.
/// Fields that a provider would obey have been taken out at submission, of those who may not use
/// them. `binary`: the message is BINARYMIME. The error is the outcome for all recipients: this
/// provider cannot carry it (5.6.x, elsewhere).
[[nodiscard]] std::expected<PreparedMessage, Outcome> prepare_message(const Provider& provider,
                                                                      std::string_view message,
                                                                      bool binary);

/// An envelope address for an API: its domain as A-labels. The error is its outcome: a local part
/// other than ASCII (5.6.7, elsewhere).
[[nodiscard]] std::expected<std::string, Outcome> api_address(const Provider& provider,
                                                              std::string_view address);

/// A UUID (RFC 9562, version 8) made from everything that makes the call what it is.
[[nodiscard]] std::string idempotency_key(std::string_view id, std::string_view reverse_path,
                                          std::span<const std::string> recipients,
                                          std::string_view raw);

/// The request for one call; the error is the outcome for its recipients: the provider cannot
/// carry the message, or it is too large for it (5.3.4, elsewhere). HTTP/2 only where a call may be
/// made twice.
[[nodiscard]] std::expected<net::HttpRequest, Outcome> build_request(
    const Provider& provider, const ProviderSettings& settings, const ApiMessage& message);

/// The recipients in calls, each a list of indices.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> split_recipients(
    const Provider& provider, const PreparedMessage& message,
    std::span<const std::string> recipients);

}  // namespace outpost::upstream
