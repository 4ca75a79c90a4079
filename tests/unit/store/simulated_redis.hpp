#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/redis_channel.hpp"

struct lua_State;

namespace outpost::store {

/// The commands that a node uses, with the real script in a Lua of the version that is in Redis.
/// Its clock is an argument, and its data can be lost in any way. Values are packed by reference:
/// the real packing is left to the tests with a real server.
class SimulatedRedis {
  public:
    SimulatedRedis();
    /// At this time of the server's clock, in ms.
    [[nodiscard]] RedisReply execute(const std::vector<std::string>& command, std::int64_t time);

    void flush_all() { call("flush_all"); }
    /// Another run of the server, with nothing or with what save() has kept.
    void restart(bool with_saved);
    void save() { call("save"); }
    [[nodiscard]] int run() const { return runs_; }
    /// Deletes the n-th of all keys and fields of hashes, in some fixed order, if there is one.
    void delete_some(unsigned n);

  private:
    struct Close {
        void operator()(lua_State* lua) const noexcept;
    };
    void call(const char* function);

    std::unique_ptr<lua_State, Close> lua_;
    int runs_ = 1;
};

}  // namespace outpost::store
