#include "store/redis_call.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace outpost::store {

namespace {

constexpr std::size_t head = 10;  ///< fields of a reply before those of the limits

void add(std::vector<std::string>& out, const limit::Usage& usage) {
    for (const limit::Unit unit : limit::all_units) out.push_back(std::to_string(usage[unit]));
}

void add(std::vector<std::string>& out, const SharedLimit& limit, const SharedCounter& counter,
         const Moment& now) {
    Period current;
    Period next;
    if (!limit.window) {
        current = period_of(counter.limits(), limit.calendar, now.server_earliest);
        next = period_of(counter.limits(), limit.calendar, current.end);
    }
    out.insert(
        out.end(),
        {limit.window ? "w" : "q", limit.id, std::to_string(static_cast<int>(limit.unit) + 1),
         limit.count ? std::to_string(*limit.count) : "-1", std::to_string(limit.period),
         std::to_string(current.start), std::to_string(current.end), std::to_string(next.end),
         std::to_string(counter.own_use(limit, now))});
}

}  // namespace

std::vector<std::string> encode(const Call& call, const SharedCounter& counter,
                                const Fallback& fallback, const Moment& now) {
    std::vector<std::string> out{
        "2",  // one hash tag: both are on one server of a cluster
        "{outpost}:nodes",
        "{outpost}:counters",
        call.node,
        fmt::format("{}", call.share),
        call.instance,
        std::to_string(call.sequence),
        std::to_string(now.server_latest + call.time_limit),
        call.run,
        call.known_epoch,
        call.on_its_share ? "1" : "0",
        std::to_string(static_cast<int>(call.leave)),
        std::to_string(call.acknowledged),
        std::to_string(fallback.away),
        call.key,
        std::to_string(fallback.longest),
        fmt::format("{}", call.held_back),
        call.abandon,
        call.heir_of,
        std::to_string(call.started),
    };
    const limit::Usage& taken = counter.taken();
    if (call.leave !=
        Call::Leave::no) {  // nothing more is taken, and what is under way counts as used
        add(out, taken);
        add(out, taken - counter.returned());
    } else {
        add(out, counter.granted());
        add(out, counter.used());
    }
    add(out, counter.returned());
    add(out, call.want.empty() ? limit::Usage{} : taken + call.want);
    for (const SharedLimit& limit : counter.shared()) add(out, limit, counter, now);
    return out;
}

std::expected<Contact, Refused> decode(const RedisReply& reply) {
    const auto& fields = reply.elements;
    if (fields.empty() || fields[0].text != "ok") {
        if (!fields.empty() && fields[0].text == "replaced")
            return std::unexpected(
                Refused{true, "another process has taken over this node's name"});
        if (!fields.empty() && fields[0].text == "late")
            return std::unexpected(Refused{false, "Redis answered too late"});
        return std::unexpected(Refused{false, "Redis answered " + reply.text});
    }
    if (fields.size() < head) return std::unexpected(Refused{false, "Redis answered too little"});
    const auto amount = [&](std::size_t i) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(0, fields[i].number));
    };
    Contact contact{.server_time = fields[1].number,
                    .epoch = fields[2].text,
                    .since = fields[3].number,
                    .lost = fields[4].number != 0,
                    .incomplete = fields[4].number == 2,
                    .all_shares = amount(5),
                    .ask_again = std::nullopt,
                    .grant = {amount(7), amount(8), amount(9)},
                    .limits = {}};
    if (fields[6].number > 0) contact.ask_again = fields[6].number;
    for (std::size_t i = head; i + 1 < fields.size(); i += 2)
        contact.limits.push_back({amount(i), fields[i + 1].number != 0});
    return contact;
}

}  // namespace outpost::store
