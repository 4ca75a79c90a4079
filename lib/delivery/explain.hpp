#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "delivery/partings.hpp"
#include "delivery/picker.hpp"
#include "delivery/port.hpp"
#include "delivery/views.hpp"
#include "spool/queue.hpp"
#include "spool/spool.hpp"

/// Why a message is not out yet, in words that an operator can act on. Pure.
namespace outpost::delivery::explain {

/// How an upstream stands, without what the queue and the limits know.
[[nodiscard]] UpstreamView upstream(Port& port, base::MonoTime now, base::WallTime wall);
/// `waits for quota daily 10000 of account news: used up, free again 2026-11-23T00:00:00Z`, or
/// `outside the delivery hours mon-fri 08:00-18:00 UTC of account night; they begin ...`.
[[nodiscard]] std::string account_wait(const Picker::Wait& wait, base::WallTime now);
/// `upstream office suspended since 14:03:07: 535 login refused`.
[[nodiscard]] std::string why_waits_at(const UpstreamView& view, base::WallTime now);
/// `, 1203 messages ahead of it`; empty for none. `account`: whose alone are counted, if not empty.
[[nodiscard]] std::string ahead(std::uint64_t messages, std::string_view account);
/// `earlier`: it began before a reload, and ends by the configuration of then.
[[nodiscard]] std::string sending(std::string_view upstream, base::WallTime since, bool earlier);
/// For a message that waits for a retry, a release or the operator.
[[nodiscard]] std::string waiting(const spool::QueueEntry& entry,
                                  const spool::StoredMessage& stored, const Share& share,
                                  base::WallTime now);

}  // namespace outpost::delivery::explain
