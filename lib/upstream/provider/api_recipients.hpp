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

/// The recipients in few calls within the limits, each a list of indices in order: so that nobody
/// who is blind is seen by others, and every call has somebody in `to`. Those who are seen stay
/// together as far as the limits allow, so that they see each other; blind recipients go along with
/// them, and those for whom no room is left (or all, where To and Cc name nobody of the envelope)
/// get a call of their own each; so does an address that differs from one before in the case of its
/// local part alone, which providers take for a repetition. `content` is nullptr for the raw form:
/// then in order, `total` a call.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> split(const message::MimeContent* content,
                                                            std::span<const std::string> recipients,
                                                            const RecipientLimits& limits);

}  // namespace outpost::upstream::api
