#include "simulated_redis.hpp"

#include <gtest/gtest.h>
#include <lua.hpp>

#include "store/redis_script.hpp"

namespace outpost::store {

namespace {

// What Redis gives to its scripts, as far as ours uses it.
constexpr const char* server = R"lua(
local data, saved, packed = {}, {}, {}
local function copy(value)
  if type(value) ~= 'table' then return value end
  local made = {}
  for key, each in pairs(value) do made[key] = copy(each) end
  return made
end
cmsgpack = {
  pack = function(value) packed[#packed + 1] = value; return tostring(#packed) end,
  unpack = function(text) return copy(packed[tonumber(text)]) end,
}
local commands = {
  TIME = function() return {math.floor(clock / 1000), clock % 1000 * 1000} end,
  GET = function(key) return data[key] or false end,
  SET = function(key, value) data[key] = value end,
  DEL = function(key) data[key] = nil end,
  HGET = function(key, field) return data[key] and data[key][field] or false end,
  HSET = function(key, field, value)
    data[key] = data[key] or {}
    data[key][field] = value
  end,
  HLEN = function(key)
    local count = 0
    for _ in pairs(data[key] or {}) do count = count + 1 end
    return count
  end,
}
redis = {call = function(name, ...) return commands[name](...) end}

function flush_all() data = {} end
function save() saved = copy(data) end
function load_saved() data = copy(saved) end
function delete_some()
  local all = {}
  for key, value in pairs(data) do
    all[#all + 1] = {key}
    for field in pairs(type(value) == 'table' and value or {}) do all[#all + 1] = {key, field} end
  end
  table.sort(all, function(a, b) return table.concat(a) < table.concat(b) end)
  if #all == 0 then return end
  local key, field = unpack(all[chosen % #all + 1])
  if not field then data[key] = nil; return end
  data[key][field] = nil
  if next(data[key]) == nil then data[key] = nil end
end
)lua";

RedisReply reply_at(lua_State* lua, int index) {
    RedisReply reply;
    if (lua_type(lua, index) == LUA_TNUMBER) {
        reply.number = static_cast<std::int64_t>(lua_tonumber(lua, index));
    } else if (const char* const text = lua_tostring(lua, index)) {
        reply.text = text;
    } else if (lua_istable(lua, index)) {
        const auto count = static_cast<int>(lua_objlen(lua, index));
        for (int i = 1; i <= count; ++i) {
            lua_rawgeti(lua, index, i);
            reply.elements.push_back(reply_at(lua, lua_gettop(lua)));
            lua_pop(lua, 1);
        }
    }
    return reply;
}

void set_words(lua_State* lua, const char* name, std::span<const std::string> words) {
    lua_createtable(lua, static_cast<int>(words.size()), 0);
    for (std::size_t i = 0; i < words.size(); ++i) {
        lua_pushlstring(lua, words[i].data(), words[i].size());
        lua_rawseti(lua, -2, static_cast<int>(i) + 1);
    }
    lua_setglobal(lua, name);
}

RedisReply text_reply(std::string text) {
    RedisReply reply;
    reply.text = std::move(text);
    return reply;
}

}  // namespace

void SimulatedRedis::Close::operator()(lua_State* lua) const noexcept {
    lua_close(lua);
}

SimulatedRedis::SimulatedRedis() : lua_(luaL_newstate()) {
    lua_State* const lua = lua_.get();
    luaL_openlibs(lua);
    EXPECT_EQ(luaL_dostring(lua, server), 0) << lua_tostring(lua, -1);
    const auto script = redis_script();
    EXPECT_EQ(luaL_loadbuffer(lua, script.data(), script.size(), "redis_script"), 0)
        << lua_tostring(lua, -1);
    lua_setglobal(lua, "script");
}

void SimulatedRedis::call(const char* function) {
    lua_State* const lua = lua_.get();
    lua_getglobal(lua, function);
    EXPECT_EQ(lua_pcall(lua, 0, 0, 0), 0) << lua_tostring(lua, -1);
}

void SimulatedRedis::restart(bool with_saved) {
    ++runs_;
    call(with_saved ? "load_saved" : "flush_all");
}

void SimulatedRedis::delete_some(unsigned n) {
    lua_pushnumber(lua_.get(), n);
    lua_setglobal(lua_.get(), "chosen");
    call("delete_some");
}

RedisReply SimulatedRedis::execute(const std::vector<std::string>& command, std::int64_t time) {
    if (command[0] == "INFO") return text_reply("run_id:" + std::to_string(runs_) + "\r\n");
    if (command[0] == "SCRIPT") return text_reply("digest");
    if (command[0] == "TIME") {
        RedisReply reply;
        reply.elements = {text_reply(std::to_string(time / 1000)),
                          text_reply(std::to_string(time % 1000 * 1000))};
        return reply;
    }
    lua_State* const lua = lua_.get();
    const auto keys = static_cast<std::size_t>(std::stoi(command[2]));
    const std::span<const std::string> words(command);
    set_words(lua, "KEYS", words.subspan(3, keys));
    set_words(lua, "ARGV", words.subspan(3 + keys));
    lua_pushnumber(lua, static_cast<lua_Number>(time));
    lua_setglobal(lua, "clock");
    lua_getglobal(lua, "script");
    RedisReply reply;
    if (lua_pcall(lua, 0, 1, 0) == 0) {
        reply = reply_at(lua, lua_gettop(lua));
    } else {
        ADD_FAILURE() << lua_tostring(lua, -1);
    }
    lua_pop(lua, 1);
    return reply;
}

}  // namespace outpost::store
