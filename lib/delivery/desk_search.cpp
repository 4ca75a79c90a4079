#include "delivery/desk_search.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.hpp"

namespace outpost::delivery {
namespace {

/// Envelopes that are read with one job of the pool.
constexpr std::size_t envelopes_at_once = 256;

bool address_fits(std::string_view wanted, std::string_view address) {
    if (wanted.empty() || base::iequals(wanted, address)) return true;
    const std::size_t at = address.rfind('@');
    return wanted.starts_with('@') && at != std::string_view::npos &&
           base::iequals(wanted, address.substr(at));
}

bool contains(std::string_view text, std::string_view part) {
    return !std::ranges::search(text, part, {}, base::ascii_lower, base::ascii_lower).empty();
}

}  // namespace

Desk::Search::Search(Desks desks, MessageFilter filter)
    : desks_(std::move(desks)),
      filter_(std::move(filter)),
      reads_(!filter_.sender.empty() || !filter_.recipient.empty()) {
    std::ranges::sort(filter_.ids);
    const auto same = std::ranges::unique(filter_.ids);
    filter_.ids.erase(same.begin(), same.end());
}

Desk::awaitable<void> Desk::Search::gather() {
    for (std::uint32_t i = 0; i < desks_.size(); ++i) {
        const Desk& desk = *desks_[i];
        for (std::optional<Handle> at = Handle{}; at;) {
            std::vector<Found> some;
            at = desk.parts_.queue.for_some(
                *at, places_a_slice, [&](Handle handle, const spool::QueueEntry& entry) {
                    if (std::ranges::binary_search(filter_.ids, entry.id)) met_.push_back(entry.id);
                    if (desk.fits(filter_, entry)) some.push_back({entry.id, handle, i});
                });
            found_.add(std::move(some));
            if (at) co_await Slices::turn();
        }
    }
}

std::vector<base::MessageId> Desk::Search::absent() const {
    std::vector<base::MessageId> met = met_;
    std::ranges::sort(met);
    std::vector<base::MessageId> absent;
    std::ranges::set_difference(filter_.ids, met, std::back_inserter(absent));
    return absent;
}

Desk::awaitable<std::optional<Found>> Desk::Search::next() {
    for (;;) {
        const auto found = co_await next_by_envelope();
        if (!found || filter_.why.empty()) co_return found;
        if (reasons_.full()) co_await Slices::turn();
        if (co_await desk(*found).fits_why(filter_, *found)) co_return found;
    }
}

Desk::awaitable<std::optional<Found>> Desk::Search::next_by_envelope() {
    if (!reads_) {
        if (slices_.full()) co_await Slices::turn();
        co_return found_.next();
    }
    for (;;) {
        if (candidates_.empty()) co_await read_envelopes();
        if (candidates_.empty()) co_return std::nullopt;
        const Candidate next = candidates_.front();
        candidates_.pop_front();
        if (next.sure || co_await desk(next.found).fits_recipient(filter_, next.found))
            co_return next.found;
    }
}

/// Goes on until some may fit, or none is left.
Desk::awaitable<void> Desk::Search::read_envelopes() {
    while (candidates_.empty()) {
        std::vector<Found> some;
        std::vector<base::MessageId> ids;
        while (some.size() < envelopes_at_once) {
            const auto found = found_.next();
            if (!found) break;
            some.push_back(*found);
            ids.push_back(found->id);
        }
        if (some.empty()) co_return;
        const auto envelopes = co_await desks_.back()->parts_.spool.read_envelopes(std::move(ids));
        for (std::size_t i = 0; i < some.size(); ++i) judge(some[i], envelopes[i]);
    }
}

void Desk::Search::judge(const Found& found, const std::optional<smtp::Envelope>& envelope) {
    if (!envelope) return candidates_.push_back({found, false});
    if (!address_fits(filter_.sender, envelope->reverse_path)) return;
    if (filter_.recipient.empty()) return candidates_.push_back({found, true});
    if (std::ranges::none_of(envelope->recipients, [&](const smtp::Recipient& recipient) {
            return address_fits(filter_.recipient, recipient.address);
        }))
        return;
    const spool::Queue& queue = desk(found).parts_.queue;
    const bool all_pending = queue.holds(found.handle, found.id) &&
                             queue.entry(found.handle).recipients == envelope->recipients.size();
    candidates_.push_back({found, all_pending});
}

bool Desk::fits(const MessageFilter& filter, const spool::QueueEntry& entry) const {
    if (!filter.ids.empty() && !std::ranges::binary_search(filter.ids, entry.id)) return false;
    if (filter.priority && entry.priority != *filter.priority) return false;
    if (filter.older && entry.id.time() > parts_.clock.wall() - *filter.older) return false;
    if (!filter.account.empty() && parts_.queue.account_name(entry.account) != filter.account)
        return false;
    if (!filter.state.empty() && state_of(entry) != filter.state) return false;
    return filter.way.empty() || parts_.switchboard.ways().name(entry.way) == filter.way;
}

Desk::awaitable<bool> Desk::fits_recipient(const MessageFilter& filter, const Found& found) {
    const auto stored = co_await parts_.spool.read(found.id);
    if (!stored || !parts_.queue.holds(found.handle, found.id)) co_return false;
    if (!address_fits(filter.sender, stored->envelope.reverse_path)) co_return false;
    if (filter.recipient.empty()) co_return true;
    const Share share = parts_.partings.share(found.id, found.handle);
    for (std::size_t i = 0; i < stored->state.recipients.size(); ++i)
        if (stored->state.recipients[i].status == spool::RecipientStatus::pending && share.has(i) &&
            address_fits(filter.recipient, stored->envelope.recipients[i].address))
            co_return true;
    co_return false;
}

Desk::awaitable<bool> Desk::fits_why(const MessageFilter& filter, const Found& found) {
    const auto stored = co_await parts_.spool.read(found.id);
    if (!stored || !parts_.queue.holds(found.handle, found.id)) co_return false;
    const spool::QueueEntry entry = parts_.queue.entry(found.handle);
    if (contains(reason_of(entry, found.handle, *stored), filter.why)) co_return true;
    const Share share = parts_.partings.share(found.id, found.handle);
    for (std::size_t i = 0; i < stored->state.recipients.size(); ++i) {
        const auto& recipient = stored->state.recipients[i];
        if (recipient.status == spool::RecipientStatus::pending && share.has(i) &&
            contains(recipient.last_reply, filter.why))
            co_return true;
    }
    co_return false;
}

}  // namespace outpost::delivery
