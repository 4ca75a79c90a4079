#include "control/observations.hpp"

#include <array>
#include <chrono>
#include <string_view>
#include <utility>

namespace outpost::control {
namespace {

using base::metrics::Kind;
using base::metrics::Sample;
using base::metrics::Snapshot;
using Labels = std::vector<std::string>;
using Seconds = std::chrono::duration<double>;

/// A gauge; its samples are added one by one.
class Gauges {
  public:
    Gauges(std::string name, std::string help, Labels label_names = {}) {
        family_.name = std::move(name);
        family_.help = std::move(help);
        family_.label_names = std::move(label_names);
    }
    void add(Labels labels, double value) {
        family_.samples.push_back({.labels = std::move(labels), .value = value});
    }
    [[nodiscard]] Snapshot take() && { return std::move(family_); }

  private:
    Snapshot family_;
};

Snapshot single(std::string name, std::string help, double value) {
    Gauges gauge(std::move(name), std::move(help));
    gauge.add({}, value);
    return std::move(gauge).take();
}

double number(std::uint64_t value) {
    return static_cast<double>(value);
}

double unix_time(auto time) {
    return Seconds(time.time_since_epoch()).count();
}

void add_process(const Observations& seen, std::vector<Snapshot>& all) {
    Gauges build("outpost_build_info", "1; the label tells the version.", {"version"});
    build.add({seen.version}, 1);
    all.push_back(std::move(build).take());
    all.push_back(single("outpost_start_time_seconds", "When the daemon started, in UNIX time.",
                         unix_time(seen.started)));
}

void add_queue(const Observations& seen, std::vector<Snapshot>& all) {
    Gauges messages("outpost_queue_messages", "Messages in the queue.",
                    {"upstream", "priority", "state"});
    for (const auto& row : seen.queue) {
        const std::string priority = std::to_string(row.priority);
        messages.add({row.way, priority, "ready"}, number(row.ready + row.limited));
        messages.add({row.way, priority, "waiting"}, number(row.waiting));
        messages.add({row.way, priority, "sending"}, number(row.in_flight));
    }
    all.push_back(std::move(messages).take());
    all.push_back(single("outpost_queue_oldest_seconds",
                         "Age of the oldest message in the queue; 0 without one.",
                         seen.oldest ? Seconds(seen.now - *seen.oldest).count() : 0));
}

void add_upstreams(const Observations& seen, std::vector<Snapshot>& all) {
    constexpr std::array<std::string_view, 6> states{"open",      "throttled", "unreachable",
                                                     "suspended", "paused",    "inactive"};
    Gauges state("outpost_upstream_state", "1 for the state that the upstream is in, else 0.",
                 {"upstream", "state"});
    Gauges sending("outpost_upstream_sending", "Deliveries under way.", {"upstream"});
    Gauges concurrency("outpost_upstream_concurrency",
                       "How many deliveries may be under way; a push-back lowers it.",
                       {"upstream"});
    for (const auto& upstream : seen.upstreams) {
        for (const std::string_view each : states)
            state.add({upstream.name, std::string(each)}, upstream.state == each ? 1 : 0);
        sending.add({upstream.name}, upstream.in_flight);
        concurrency.add({upstream.name}, upstream.concurrency);
    }
    for (Gauges* gauges : {&state, &sending, &concurrency})
        all.push_back(std::move(*gauges).take());
}

/// `account/shop/rate` is the rate of the account shop, `upstream/out` all limits of out.
struct Key {
    std::string owner;
    std::string name;
    std::string which;
};

Key parse(std::string_view key) {
    const std::size_t first = key.find('/');
    Key parsed{.owner = std::string(key.substr(0, first)),
               .name = std::string(key.substr(first + 1)),
               .which = {}};
    if (const std::size_t last = parsed.name.rfind('/');
        parsed.owner == "account" && last != std::string::npos) {
        parsed.which = parsed.name.substr(last + 1);
        parsed.name.resize(last);
    }
    return parsed;
}

void add_limits(const Observations& seen, std::vector<Snapshot>& all) {
    const Labels names{"owner", "name", "limit"};
    Gauges used("outpost_limit_used", "What is used of a limit at the moment.", names);
    Gauges left("outpost_limit_left", "What is left of a limit at the moment.", names);
    for (const LimitUse& use : seen.limits) {
        const Key key = parse(use.key);
        for (const limit::Level& level : use.levels) {
            const Labels labels{key.owner, key.name,
                                (key.which == "submit" ? "submit_rate " : "") + level.limit};
            used.add(labels, number(level.used));
            left.add(labels, number(level.most > level.used ? level.most - level.used : 0));
        }
    }
    Gauges waiting("outpost_limit_waiting_messages", "Messages that wait for a limit alone.",
                   {"owner", "name"});
    for (const auto& queue : seen.limit_queues)
        waiting.add({queue.owner, queue.name}, number(queue.messages));
    all.push_back(single("outpost_limit_store_reachable",
                         "1 while the counters of limits are kept where limits.store says, else 0.",
                         seen.limits_reachable ? 1 : 0));
    for (Gauges* gauges : {&used, &left, &waiting}) all.push_back(std::move(*gauges).take());
}

void add_spool(const Observations& seen, std::vector<Snapshot>& all) {
    const spool::DiskUse& disk = seen.disk;
    all.push_back(single("outpost_spool_accepting", "1 while mail can be stored, else 0.",
                         seen.accepting ? 1 : 0));
    all.push_back(single("outpost_spool_messages", "Messages in the spool that are not finished.",
                         number(disk.messages)));
    all.push_back(single("outpost_spool_large_files",
                         "Messages in the spool that have a file of their own.",
                         number(disk.large_files)));
    all.push_back(
        single("outpost_spool_segments", "Segments of the spool's log.", number(disk.segments)));
    all.push_back(
        single("outpost_spool_bytes", "Octets in these segments.", number(disk.segment_octets)));
    Gauges free("outpost_spool_free_bytes", "Free space of the spool's file system.");
    if (disk.free_octets) free.add({}, number(*disk.free_octets));
    all.push_back(std::move(free).take());
}

void add_certificates(const Observations& seen, std::vector<Snapshot>& all) {
    Gauges expiry("outpost_certificate_expiry_timestamp_seconds",
                  "When the certificate expires, in UNIX time.", {"file"});
    for (const auto& certificate : seen.certificates)
        expiry.add({certificate.file}, unix_time(certificate.expires));
    all.push_back(std::move(expiry).take());
}

}  // namespace

std::vector<Snapshot> families(const Observations& seen) {
    std::vector<Snapshot> all;
    add_process(seen, all);
    add_queue(seen, all);
    add_upstreams(seen, all);
    add_limits(seen, all);
    add_spool(seen, all);
    add_certificates(seen, all);
    return all;
}

}  // namespace outpost::control
