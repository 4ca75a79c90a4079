#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "message/mime_content.hpp"
#include "upstream/provider/provider.hpp"

/// Who a call of a JSON API is for. The envelope decides; the header only says who is seen.
namespace outpost::upstream::api {

/// To, Cc and Bcc of one call: each envelope recipient once. `to` is never empty.
struct Addressed {
    std::vector<message::NamedAddress> to;
    std::vector<message::NamedAddress> cc;
    std::vector<message::NamedAddress> bcc;
};

/// Envelope recipients that stand in To, those in Cc, and all others blind, with the names of the
/// header. Addresses compare by local part exactly and domain in any case and form (U-label or
/// A-label). If nobody is in `to`, the only recipient of the call becomes it (split() sees to it
/// that there is only one then); else the first of Cc.
[[nodiscard]] Addressed addressed(const message::MimeContent& content,
                                  std::span<const std::string> recipients);

/// The recipients in as few calls as the limits allow, each a list of indices: so that nobody who
/// is blind is seen by others, and every call has somebody in `to`. Blind recipients go along with
/// those who are seen; where nobody is seen (To names none of the envelope), each gets a call of
/// their own. `content` is nullptr for the raw form: then in order, `total` a call.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> split(const message::MimeContent* content,
                                                            std::span<const std::string> recipients,
                                                            const RecipientLimits& limits);

}  // namespace outpost::upstream::api
