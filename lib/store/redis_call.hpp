#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "store/redis_channel.hpp"
#include "store/shared_counter.hpp"

/// The arguments and the reply of redis_script.cpp. Pure.
namespace outpost::store {

struct Call {
    std::string key;
    std::string node;
    double share = 0;
    std::string instance;  ///< of this process
    std::uint64_t sequence = 0;
    std::string run;            ///< of the server, at the other end of this connection
    std::string known_epoch;    ///< that this node has dealt with last; empty: never any
    std::string abandon;        ///< an epoch whose times are wrong: the server's clock was set
    std::int64_t started = 0;   ///< of this process, by the server's clock in ms
    std::string heir_of;        ///< epoch that only the process before this one has dealt with
    bool on_its_share = false;  ///< the process before this one may have lived on its share
    enum class Leave : std::uint8_t { no, this_counter, all } leave = Leave::no;
    std::uint64_t acknowledged = 0;  ///< sequence of the last call of this key that was answered
    std::int64_t time_limit = 1000;  ///< ms after which the server is to ignore it
    limit::Usage want;               ///< beyond what is taken
    double held_back = 0;
};

/// The arguments that follow `EVALSHA sha`.
[[nodiscard]] std::vector<std::string> encode(const Call& call, const SharedCounter& counter,
                                              const Fallback& fallback, const Moment& now);

/// The script has done nothing; the text says why.
struct Refused {
    bool replaced = false;  ///< by another process under the same node name
    std::string text;
};
[[nodiscard]] std::expected<Contact, Refused> decode(const RedisReply& reply);

}  // namespace outpost::store
