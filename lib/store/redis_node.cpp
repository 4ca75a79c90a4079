#include "store/redis_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/random.hpp"
#include "store/redis_script.hpp"

namespace outpost::store {

namespace {

constexpr std::int64_t idle_after = 60'000;  ///< ms without a request
constexpr std::int64_t idle_heartbeat = 60;  ///< times as rare for an idle counter
constexpr std::size_t calls_at_once = 128;
constexpr std::size_t calls_in_a_beat = 1024;   ///< then requests have their turn
constexpr std::int64_t ask_again_alone = 1000;  ///< ms
constexpr std::int64_t clock_tolerance = 2000;  ///< ms
constexpr std::int64_t clock_drift = 1000;      ///< at most one part in this many

std::string random_name() {
    std::string name;
    for (const unsigned char octet : base::random_octets(8)) name += fmt::format("{:02x}", octet);
    return name;
}

std::string run_of(const std::string& info) {
    constexpr std::string_view label = "run_id:";
    const auto at = info.find(label);
    if (at == std::string::npos) return {};
    const auto begin = at + label.size();
    return info.substr(begin, info.find_first_of("\r\n", begin) - begin);
}

}  // namespace

RedisNode::RedisNode(RedisOptions options, NodeMemory memory, OpenRedis open,
                     const base::Clock& clock, OnRedisChange on_change)
    : options_(std::move(options)),
      open_(std::move(open)),
      clock_(clock),
      on_change_(std::move(on_change)),
      memory_(std::move(memory)),
      began_on_its_share_(memory_.on_its_share()),
      inherited_epoch_(memory_.epoch()),
      instance_(random_name()),
      back_off_(options_.first_back_off) {
    fallback_.share = options_.share;
    fallback_.away = options_.away.count();
}

// The clocks.

std::int64_t RedisNode::mono() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.mono().time_since_epoch())
        .count();
}

Moment RedisNode::moment() const {
    const std::int64_t now = mono();
    if (!synchronised_) {
        const std::int64_t wall = clock_.wall().time_since_epoch().count();
        return {now, wall, wall};
    }
    return {now, server_time_ + (now - answered_at_), server_time_ + 1 + (now - asked_at_)};
}

base::WallTime RedisNode::wall_of(std::int64_t server_time) const {
    const auto ahead = std::max<std::int64_t>(0, server_time - moment().server_earliest);
    return clock_.wall() + std::chrono::milliseconds(ahead);
}

void RedisNode::set_server_time(std::int64_t time, std::int64_t asked, std::int64_t answered) {
    server_time_ = time;
    asked_at_ = asked;
    answered_at_ = answered;
    synchronised_ = true;
}

// The connection.

void RedisNode::connect() {
    if (channel_ || replaced_ || mono() < next_connect_) return;
    auto made = open_(options_.address, options_.time_limit);
    if (!made) return lose(made.error());
    if (const auto greeted = greet(**made); !greeted) return lose(greeted.error());
    channel_ = std::move(*made);
    fallback_.connected = true;
    for (auto& [name, key] : keys_) key.contact_at = INT64_MIN / 2;
    beat(mono());
    if (channel_ && std::exchange(away_, false)) {
        back_off_ = options_.first_back_off;
        say(false, fmt::format("Redis {}:{} is there; limits are shared again",
                               options_.address.host, options_.address.port));
    }
}

std::expected<void, std::string> RedisNode::greet(RedisChannel& channel) {
    const auto info = channel.ask_one({"INFO", "server"});
    if (!info) return std::unexpected(info.error());
    const std::string run = run_of(info->text);
    const auto script = channel.ask_one({"SCRIPT", "LOAD", std::string(redis_script())});
    if (!script) return std::unexpected(script.error());

    const std::int64_t asked = mono();
    const auto time = channel.ask_one({"TIME"});
    if (!time) return std::unexpected(time.error());
    if (run.empty() || time->elements.size() != 2)
        return std::unexpected("what answers there is not Redis 5 or later");
    const std::int64_t server =
        std::stoll(time->elements[0].text) * 1000 + std::stoll(time->elements[1].text) / 1000;
    if (synchronised_ && run == run_) {
        // Windows that rest on a clock which was set say nothing.
        const Moment expected = moment();
        const std::int64_t drift = clock_tolerance + (mono() - asked_at_) / clock_drift;
        if (server > expected.server_latest + drift || server < expected.server_earliest - drift)
            abandon_ = fallback_.epoch;
    }
    run_ = run;
    script_ = script->text;
    set_server_time(server, asked, mono());
    if (started_ == 0) started_ = server;
    return {};
}

void RedisNode::lose(const std::string& why) {
    channel_.reset();
    fallback_.connected = false;
    next_connect_ = mono() + back_off_.count();
    back_off_ = std::min(back_off_ * 2, options_.longest_back_off);
    trouble_ = why;
    if (std::exchange(away_, true) && said_away_) return;
    say(true, fallback_.epoch.empty()
                  ? why + "; nothing goes out under its limits until it is there"
                  : fmt::format("{}; this node goes on with {:g} % of each limit", why,
                                100 * fallback_.share));
}

void RedisNode::say(bool away, const std::string& text) {
    if (away || said_away_) on_change_(away, text);
    said_away_ = away;
}

void RedisNode::check_shares(const Contact& contact) {
    constexpr double millionth = 1e-6;
    const double sum = static_cast<double>(contact.all_shares) * millionth;
    const bool too_much = sum > 1 + millionth;
    fallback_.share = too_much ? options_.share / sum : options_.share;
    if (too_much && !std::exchange(shares_reported_, true))
        on_change_(false, fmt::format("the shares of all nodes add up to {:g} %; limits.share must "
                                      "add up to 100 % at most",
                                      100 * sum));
    if (!too_much) shares_reported_ = false;
    const bool waits = contact.incomplete && sum < 1 - millionth;
    if (waits && !std::exchange(incomplete_reported_, true))
        on_change_(false, fmt::format("Redis does not know what was used before, and only nodes "
                                      "with {:g} % of the limits are there; until it is 100 %, "
                                      "each limit waits for its next period",
                                      100 * sum));
    if (!waits) incomplete_reported_ = false;
}

// The calls.

RedisNode::Exchange RedisNode::exchange(const std::string& name, Key& key) {
    return {&key,
            {.key = name,
             .node = options_.node,
             .share = options_.share,
             .instance = instance_,
             .sequence = ++sequence_,
             .run = run_,
             .known_epoch = fallback_.epoch.empty() ? memory_.epoch() : fallback_.epoch,
             .abandon = abandon_,
             .started = started_,
             .heir_of = first_epoch_ == fallback_.epoch ? inherited_epoch_ : std::string(),
             .on_its_share = began_on_its_share_,
             .acknowledged = key.acknowledged,
             .time_limit = options_.time_limit.count(),
             .want = {}}};
}

std::vector<std::expected<Contact, Refused>> RedisNode::ask(std::span<Exchange> exchanges) {
    const Moment now = moment();
    std::vector<std::vector<std::string>> commands;
    for (const auto& [key, call] : exchanges) {
        commands.push_back({"EVALSHA", script_});
        const auto arguments = encode(call, key->counter, fallback_, now);
        commands.back().insert(commands.back().end(), arguments.begin(), arguments.end());
    }
    // Whatever becomes of them: after this the server ignores them.
    const std::int64_t limit =
        options_.time_limit.count() + (now.server_latest - now.server_earliest);
    const auto reaches = [&](Epoch& epoch) {
        epoch.silent_from = std::max(epoch.silent_from, now.mono + limit);
        epoch.silent_server = std::max(epoch.silent_server, now.server_latest + limit);
    };
    const std::string epoch = fallback_.epoch;
    const auto known = fallback_.epochs.find(epoch);
    const Epoch before = known == fallback_.epochs.end() ? Epoch{} : known->second;
    if (known != fallback_.epochs.end()) reaches(known->second);
    const auto replies = channel_->ask(commands);
    if (!replies) {
        lose(replies.error());
        return {};
    }
    const std::int64_t answered = mono();
    std::vector<std::expected<Contact, Refused>> results;
    std::optional<Refused> refused;
    for (std::size_t i = 0; i < replies->size(); ++i) {
        auto& contact = results.emplace_back(decode((*replies)[i]));
        if (contact) {
            // Redis had lost its data already: what we asked for did not touch it.
            if (i == 0 && contact->epoch != epoch && known != fallback_.epochs.end())
                known->second = before;
            set_server_time(contact->server_time, now.mono, answered);
            reaches(epoch_of(*contact, moment()));
            if (!take(*contact, exchanges[i], now.mono))
                contact = std::unexpected(Refused{false, memory_.error()});
        }
        if (!contact) refused = contact.error();
    }
    if (refused) {
        replaced_ = replaced_ || refused->replaced;
        lose(refused->text);
    }
    return results;
}

Epoch& RedisNode::epoch_of(const Contact& contact, const Moment& now) {
    const auto [found, fresh] = fallback_.epochs.try_emplace(contact.epoch);
    Epoch& epoch = found->second;
    if (fresh) {
        epoch.since = contact.since;
        epoch.since_here = now.mono - (now.server_latest - contact.since);
    }
    epoch.whole = epoch.whole || !contact.lost;
    return epoch;
}

bool RedisNode::take(Contact& contact, Exchange& exchange, std::int64_t asked_at) {
    auto& [key, call] = exchange;
    if (contact.epoch != fallback_.epoch) {
        if (memory_.epoch().empty() && !memory_.remember(contact.epoch, memory_.on_its_share()))
            return false;
        if (first_epoch_.empty()) first_epoch_ = contact.epoch;
        fallback_.epoch = contact.epoch;
        for (auto& [name, each] : keys_) each.acknowledged = 0;
        abandon_.clear();
    }
    fallback_.since = contact.since;
    fallback_.lost = contact.lost;
    check_shares(contact);

    key->all_known = std::ranges::all_of(contact.limits, &Contact::Limit::known);
    if (!key->all_known && !contact.grant.empty()) {
        contact.grant =
            key->counter.room(contact.grant, call.held_back, fallback_, moment(), &contact.limits);
        if (!contact.grant.empty() && !may_use_share()) contact.grant = {};
    }
    key->counter.contact(contact, asked_at);
    key->acknowledged = call.sequence;
    key->contact_at = last_contact_ = mono();
    return true;
}

/// Noted down beforehand: after a crash the share counts as used.
bool RedisNode::may_use_share() {
    if (!memory_.remember(memory_.epoch(), true)) return false;
    share_used_at_ = mono();
    return true;
}

/// A process after this one need not assume the worst about what this one has told. Where that
/// cannot be written it is tried again, and a crash meanwhile costs more than it must.
void RedisNode::note_what_is_told() {
    if (!usable() || keys_.empty()) return;
    const auto all = [this](auto told) {
        return std::ranges::all_of(keys_, [&](const auto& entry) { return told(entry.second); });
    };
    // Of the epochs of which something is still to be told the first counts.
    const bool epoch = all([](const Key& key) { return key.acknowledged > 0; });
    const bool share =
        all([this](const Key& key) { return key.all_known && key.contact_at > share_used_at_; });
    static_cast<void>(memory_.remember(epoch ? fallback_.epoch : memory_.epoch(),
                                       memory_.on_its_share() && !share));
}

// What the store is asked for.

void RedisNode::handle(std::span<Pending> round) {
    connect();
    std::vector<Exchange> exchanges;
    for (Pending& pending : round) {
        Key& key = keys_[pending.request.key];
        key.counter.report(pending.request, moment());
        key.granted_before = key.counter.granted();
        key.requested_at = mono();
        if (!usable()) continue;
        exchanges.push_back(exchange(pending.request.key, key));
        exchanges.back().call.want = pending.request.want;
        exchanges.back().call.held_back = pending.request.held_back;
    }
    std::vector<std::expected<Contact, Refused>> results;
    if (usable()) results = ask(exchanges);
    for (std::size_t i = 0; i < round.size(); ++i) {
        Key& key = keys_[round[i].request.key];
        if (i < results.size() && results[i])
            answer(round[i], key, results[i]->ask_again);
        else
            answer_alone(round[i], key);
    }
}

void RedisNode::answer(Pending& pending, Key& key, std::optional<std::int64_t> ask_again) {
    const limit::Usage& want = pending.request.want;
    limit::LeaseAnswer answer;
    answer.allowance = key.counter.granted() - pending.request.taken;
    bool stuck = false;
    for (const limit::Unit unit : limit::all_units) {
        // Who got something asks again once it is used, and so reports that at once.
        const bool more = key.counter.granted()[unit] > key.granted_before[unit];
        stuck = stuck || (answer.allowance[unit] < want[unit] && !more);
        answer.allowance[unit] = std::min(answer.allowance[unit], want[unit]);
    }
    if (stuck)
        answer.ask_again = wall_of(ask_again.value_or(moment().server_latest + ask_again_alone));
    if (replaced_ || fallback_.epoch.empty()) answer.error = trouble_;
    pending.done(answer);
}

void RedisNode::answer_alone(Pending& pending, Key& key) {
    const limit::LeaseRequest& request = pending.request;
    if (!replaced_) {
        const limit::Usage more =
            key.counter.room(request.taken + request.want - key.counter.granted(),
                             request.held_back, fallback_, moment(), nullptr);
        if (!more.empty() && may_use_share()) key.counter.grant(more);
    }
    answer(pending, key, std::nullopt);
}

// What happens by itself.

base::MonoTime RedisNode::next_tick() const {
    const std::int64_t at = channel_ ? last_beat_ + options_.heartbeat.count() / 4 : next_connect_;
    const auto ahead = std::chrono::milliseconds(std::max<std::int64_t>(1, at - mono()));
    return clock_.mono() + (replaced_ ? std::chrono::milliseconds(idle_after) : ahead);
}

void RedisNode::tick() {
    connect();
    if (usable()) beat(mono());
}

void RedisNode::beat(std::int64_t now) {
    last_beat_ = now;
    std::vector<Exchange> due;
    for (auto& [name, key] : keys_) {
        const bool idle = now - key.requested_at > idle_after;
        const std::int64_t every = options_.heartbeat.count() * (idle ? idle_heartbeat : 1);
        if (now - key.contact_at >= every) due.push_back(exchange(name, key));
    }
    std::ranges::sort(due, {}, [](const Exchange& each) { return each.key->contact_at; });
    due.erase(due.begin() + std::min<std::ptrdiff_t>(std::ssize(due), calls_in_a_beat), due.end());
    // Idle counters are seldom heard of, but Redis must know that the node lives.
    if (due.empty() && !keys_.empty() && now - last_contact_ >= options_.heartbeat.count())
        due.push_back(exchange(keys_.begin()->first, keys_.begin()->second));
    for (std::size_t i = 0; i < due.size() && usable(); i += calls_at_once)
        static_cast<void>(ask(std::span(due).subspan(i, std::min(calls_at_once, due.size() - i))));
    note_what_is_told();
}

void RedisNode::leave() {
    if (!usable() || keys_.empty()) return;
    std::vector<Exchange> all;
    const auto add = [&](const std::string& name, Key& key, Call::Leave leave) {
        all.push_back(exchange(name, key));
        all.back().call.leave = leave;
    };
    for (auto& [name, key] : keys_) add(name, key, Call::Leave::this_counter);
    // Only when all of them have told everything.
    auto& [name, key] = *keys_.begin();
    add(name, key, Call::Leave::all);
    const std::span<Exchange> calls(all);
    for (std::size_t i = 0; i + 1 < calls.size() && usable(); i += calls_at_once)
        static_cast<void>(ask(calls.subspan(i, std::min(calls_at_once, calls.size() - 1 - i))));
    if (usable()) static_cast<void>(ask(calls.last(1)));
    if (usable()) static_cast<void>(memory_.remember(fallback_.epoch, false));
}

}  // namespace outpost::store
