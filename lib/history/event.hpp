#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"

/// What has happened to messages, as values: delivery writes it down, the store keeps it, operators
/// look it up.
namespace outpost::history {

/// Stored as numbers: a new one goes to the end.
enum class Result : std::uint8_t {
    // of an attempt
    delivered,
    deferred,
    uncertain,  ///< the message went out and no answer came back
    passed_on,  ///< the upstream cannot take it; another one of the group is asked
    bounced,    ///< refused for good
    dropped,    ///< given up, and nobody is told: the reverse-path is null
    expired,    ///< its time is over; also without an attempt
    damaged,    ///< cannot be read back; set aside
    // of what an operator did
    cancelled,
    held,
    released,
    retried,
    moved,
    priority,
};

/// As the log and the control API write it.
[[nodiscard]] std::string_view name_of(Result result) noexcept;
[[nodiscard]] std::optional<Result> parse_result(std::string_view name) noexcept;
/// Of a number that was stored.
[[nodiscard]] std::optional<Result> result_of(std::int64_t number) noexcept;
/// All names, with commas between them.
[[nodiscard]] std::string all_results();

/// How long each stage of an attempt took; zero for one that was skipped.
struct Latency {
    std::chrono::microseconds queue{};     ///< from its arrival to the start of the attempt
    std::chrono::microseconds read{};      ///< to read it back
    std::chrono::microseconds connect{};   ///< lookup and TCP
    std::chrono::microseconds greeting{};  ///< banner, EHLO, TLS, AUTH
    std::chrono::microseconds transfer{};  ///< MAIL to the last reply
    std::chrono::microseconds total{};     ///< from its arrival to the end of the attempt

    bool operator==(const Latency&) const = default;
};

/// What is the same for all recipients that it happened to.
struct Event {
    base::WallTime at{};
    base::MessageId id{};
    Result result = Result::delivered;
    std::string account;  ///< empty for our own reports
    std::string sender;
    std::string upstream;
    std::string remote;
    std::string reply;  ///< the upstream's or our own words; the operator's reason
    std::optional<base::WallTime> next_attempt{};
    Latency latency{};

    bool operator==(const Event&) const = default;
};

/// To be written down. No recipient: it happened to the message as a whole.
struct Entry {
    Event event;
    std::vector<std::string> recipients;
};

/// One recipient's, read back.
struct Row {
    std::int64_t number = 0;  ///< rises with each that is written down
    Event event;
    std::string recipient;

    bool operator==(const Row&) const = default;
};

/// Which rows are meant: those that fit all that is set.
struct Query {
    std::optional<base::MessageId> id{};
    std::string account{};
    std::string sender{};     ///< an address, or `@domain`
    std::string recipient{};  ///< an address, or `@domain`
    std::string upstream{};
    std::optional<Result> result{};
    std::optional<base::WallTime> since{};
    std::optional<base::WallTime> until{};
    /// Rows above it, the oldest first; without it the newest come first.
    std::optional<std::int64_t> after{};
    std::optional<std::int64_t> before{};  ///< rows below it
    std::size_t limit = 100;
};

/// Where it is written down. Thread-safe; never waits.
class Sink {
  public:
    virtual ~Sink() = default;
    virtual void put(Entry entry) = 0;
};

}  // namespace outpost::history
