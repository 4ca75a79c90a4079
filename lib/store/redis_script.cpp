#include "store/redis_script.hpp"

namespace outpost::store {

// docs/limits.md, "Several nodes", has the reasoning. KEYS: what all counters share, one packed
// value; the counters, a hash of packed values. How many there are is in the former, so that
// nothing can be deleted unnoticed but everything at once. All times are ms of the server's clock,
// which never goes back.
std::string_view redis_script() noexcept {
    return R"lua(
local units = 3
local function number(i) return tonumber(ARGV[i]) end
local function three(i) return {number(i), number(i + 1), number(i + 2)} end

local call = {
  node = ARGV[1], share = number(2), instance = ARGV[3], seq = number(4), valid_until = number(5),
  run = ARGV[6], known = ARGV[7], fell = ARGV[8] == '1', leave = number(9), ack = number(10),
  away = number(11), counter = ARGV[12], fallback = math.floor(number(13) * 1.01), held = number(14),
  abandon = ARGV[15], heir = ARGV[16],
  started = number(17), granted = three(18), used = three(21), returned = three(24), wanted = three(27),
}
local limits = {}
for i = 30, #ARGV, 9 do
  limits[#limits + 1] = {
    window = ARGV[i] == 'w', id = ARGV[i + 1], unit = number(i + 2), count = number(i + 3),
    period = number(i + 4), start = number(i + 5), stop = number(i + 6), stop2 = number(i + 7),
    carried = number(i + 8),
  }
end

local function unpacked(value) return value and cmsgpack.unpack(value) or nil end

local common = unpacked(redis.call('GET', KEYS[1]))
local stored = redis.call('HLEN', KEYS[2])
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
local now = clock
if common and common.run == call.run then now = math.max(now, common.now) end

-- The caller has given this call up: it counts itself as away from valid_until on.
if now > call.valid_until then return {'late', now} end

-- Data of another run of the server may be old, a part of it may have been deleted, and a clock that
-- was set makes windows wrong: in all these cases nobody knows what has been used. A new epoch
-- begins. `lost`: something was used before it.
local id = call.run .. ':' .. clock .. ':' .. call.instance .. ':' .. call.seq
local clock_set = common and common.run == call.run and clock < common.now - 1000
local fresh = true
if not common or common.run ~= call.run or clock_set or call.abandon == common.id then
  now = clock
  common = {run = call.run, id = id, since = now, nodes = {}, counters = 0,
            lost = common ~= nil or stored > 0}
elseif stored ~= common.counters then
  common.id, common.since, common.counters, common.lost = id, now, 0, true
else
  fresh = false
end
common.now = now
if call.known ~= '' and call.known ~= common.id then common.lost = true end
local counter = not fresh and unpacked(redis.call('HGET', KEYS[2], call.counter)) or nil
local created = not counter
counter = counter or {nodes = {}, windows = {}, quotas = {}}

local me = common.nodes[call.node] or {last = now}
common.nodes[call.node] = me
if me.instance ~= call.instance then
  -- A late call of the process before must not take the name from the one that runs.
  local started = math.min(call.started, now)
  if me.started and started < me.started then return {'replaced', now} end
  me.instance, me.started = call.instance, started
  if call.fell then me.fell_at = now end
end
-- Counters that have not been reported since it was away: see spoken_for.
if now - me.last > call.away then me.back = now end
-- It has dealt with this epoch, and with none before it: else its calls would have said so.
if call.known == common.id then me.sworn = true end
me.share, me.last, me.left = call.share, now, call.leave == 2

-- Only if nodes with all shares have said that they know of no other epoch, there was none. Until
-- then it is taken for one that was lost.
local shares, sworn, at_work = 0, 0, 0
for _, node in pairs(common.nodes) do
  shares = shares + node.share
  if node.sworn then sworn = sworn + node.share end
  if not node.left and now - node.last <= call.fallback then at_work = at_work + node.share end
end
if sworn >= 1 - 1e-6 then common.complete = true end
local lost, since = common.lost or not common.complete, common.since

-- Windows: {first, last, amount} in turn, oldest first. An entry counts until its last moment has
-- left, and spans at most 1/128 of the period.
local day = 86400000
local function window(unit, period)
  local id = unit .. ':' .. period
  local list = counter.windows[id]
  if list then return list, id end
  -- A limit that is new here begins with what the day's list knows.
  list = {}
  for _, value in ipairs(counter.windows[unit .. ':' .. day] or {}) do list[#list + 1] = value end
  counter.windows[id] = list
  return list, id
end
local function expire(list, period)
  local first = 1
  while list[first] and list[first + 1] + period < now do first = first + 3 end
  if first == 1 then return list end
  local kept = {}
  for i = first, #list do kept[#kept + 1] = list[i] end
  return kept
end
local function add(list, period, amount)
  if amount <= 0 then return end
  local n = #list
  if n > 0 and now - list[n - 2] <= math.floor(period / 128) then
    list[n - 1] = now
    list[n] = list[n] + amount
  else
    list[n + 1], list[n + 2], list[n + 3] = now, now, amount
  end
end
local function sum(list)
  local total = 0
  for i = 3, #list, 3 do total = total + list[i] end
  return total
end

local in_use = {}
for unit = 1, units do in_use[unit .. ':' .. day] = {unit, day} end
for _, limit in ipairs(limits) do
  if limit.window then
    in_use[limit.unit .. ':' .. limit.period] = {limit.unit, limit.period}
  else
    if now >= limit.stop then limit.start, limit.stop = limit.stop, limit.stop2 end
    if now < limit.start or now >= limit.stop then return {'late', now} end
    local quota = counter.quotas[limit.id]
    if not quota or limit.start >= quota.stop then
      quota = {used = 0}
      counter.quotas[limit.id] = quota
    end
    -- In another time zone the period is another one: what was used stays used.
    quota.start, quota.stop = limit.start, limit.stop
  end
end
for id, what in pairs(in_use) do
  window(what[1], what[2])
end
for id, list in pairs(counter.windows) do
  local unit, period = id:match('(%d+):(%d+)')
  counter.windows[id] = expire(list, tonumber(period))
  -- Other nodes may still have a limit that this one no longer has.
  if not in_use[id] and #counter.windows[id] == 0 then counter.windows[id] = nil end
end
local function charge(amounts)
  for id, list in pairs(counter.windows) do
    local unit, period = id:match('(%d+):(%d+)')
    add(list, tonumber(period), amounts[tonumber(unit)])
  end
  for id, quota in pairs(counter.quotas) do quota.used = quota.used + amounts[1] end
end
local function charge_limit(limit, amount)
  if limit.window then
    add(counter.windows[limit.unit .. ':' .. limit.period], limit.period, amount)
  else
    counter.quotas[limit.id].used = counter.quotas[limit.id].used + math.max(0, amount)
  end
end
local function used_of(limit)
  if limit.window then return sum(counter.windows[limit.unit .. ':' .. limit.period]) end
  return counter.quotas[limit.id].used
end
local function outstanding(node, unit)
  return math.max(0, node.granted[unit] - node.used[unit] - node.returned[unit])
end
local function share_of(share, limit) return math.floor(share * limit.count + 1e-9) end

-- What this node has done since its last call.
local mine = counter.nodes[call.node]
if mine and mine.instance == call.instance and call.seq <= mine.seq then return {'late', now} end
if mine and mine.instance ~= call.instance then
  -- The process before this one is gone, and with it what it knew.
  local rest = {outstanding(mine, 1), outstanding(mine, 2), outstanding(mine, 3)}
  charge(rest)
  if me.fell_at and mine.last <= me.fell_at then
    for _, limit in ipairs(limits) do
      if limit.count >= 0 then
        charge_limit(limit, share_of(call.share, limit) - rest[limit.unit])
      end
    end
  end
  mine = nil
end
if not mine then
  mine = {instance = call.instance, used = call.used, confirmed = {}, offered = {}, offer = -1}
  -- What the process before this one has used since the data was lost, nobody knows.
  local heir = lost and call.heir ~= '' and call.heir ~= common.id
  for _, limit in ipairs(limits) do
    charge_limit(limit, math.max(limit.carried, heir and share_of(call.share, limit) or 0))
  end
  counter.nodes[call.node] = mine
end
charge({call.used[1] - mine.used[1], call.used[2] - mine.used[2], call.used[3] - mine.used[3]})
mine.seq, mine.last, mine.granted, mine.used, mine.returned =
  call.seq, now, call.granted, call.used, call.returned
mine.met = call.ack > 0 and call.known == common.id  -- it has had an answer about this epoch's counter
mine.left = call.leave > 0
-- Only now it is certain that the caller has thrown away what it was promised before.
if call.ack == mine.offer then mine.confirmed = mine.offered end
mine.offered, mine.offer = {}, call.seq

-- How far a limit is spoken for, by whom.
local function promised(node, id)
  return math.max(node.confirmed[id] or 0, node.offered[id] or 0)
end
local function known(limit)
  if not lost then return true end
  if limit.window then return now >= since + limit.period + call.away end
  return since <= limit.start and now >= limit.start + call.away
end
local function spoken_for(limit)
  local out, kept = 0, 0
  for name, node in pairs(common.nodes) do
    local own = counter.nodes[name]
    local has = own and outstanding(own, limit.unit) or 0
    out = out + has
    local left = node.left
    if own then left = own.left end
    if name ~= call.node and not left and (own or lost) then
      -- Until it has had an answer it may act on what it knew before the loss. Who was away may have
      -- lived on its share until it reports this counter, too, and so may the process before it.
      local unmet = lost and not (own and own.met)
      local heard = node.last
      if unmet then heard = own and own.last or since
      elseif own.instance ~= node.instance or (node.back and own.last < node.back) then heard = own.last end
      if unmet or now - heard > call.away then
        local ends = limit.window and now - heard <= call.fallback + limit.period
        if ends or (not limit.window and heard + call.fallback >= limit.start) then
          kept = kept + math.max(0, share_of(node.share, limit) - has)
        end
      else
        kept = kept + promised(own, limit.id)
      end
    end
  end
  -- Whoever has not been heard of since the data was lost may live on its share.
  local until_when = since + call.fallback + (limit.window and limit.period or 0)
  if lost and shares < 1 and until_when >= (limit.window and now or limit.start) then
    kept = kept + math.ceil((1 - shares) * limit.count - 1e-6)
  end
  return out, kept
end

-- The grant.
local grant, ask_again = {}, 0
for unit = 1, units do grant[unit] = math.max(0, call.wanted[unit] - call.granted[unit]) end
for _, limit in ipairs(limits) do
  local room
  if limit.count < 0 then
    limit.known = true
  elseif known(limit) then
    limit.known = true
    local used = used_of(limit)
    local out, kept = spoken_for(limit)
    local most = math.floor(limit.count * (1 - call.held) + 1e-9)
    local own = share_of(call.share, limit) - outstanding(mine, limit.unit)
    room = math.max(0, math.min(most - used - out - kept, own))
    -- Others may give back or use up what they have at any time.
    limit.again = now + (limit.window and math.min(2000, math.max(20, limit.period / 200)) or 2000)
    if out + kept == 0 or used >= most then
      local list = limit.window and counter.windows[limit.unit .. ':' .. limit.period]
      if not list then limit.again = limit.stop
      elseif list[2] then limit.again = list[2] + limit.period + 1 end
    end
  else
    limit.known = false
  end
  if room and room < grant[limit.unit] then
    grant[limit.unit] = room
    ask_again = math.max(ask_again, limit.again)
  end
end
for unit = 1, units do mine.granted[unit] = mine.granted[unit] + grant[unit] end

-- What the node may use by itself should it lose us. Short windows empty soon enough.
local reply = {'ok', now, common.id, since, common.lost and 1 or lost and 2 or 0, math.floor(at_work * 1000000 + 0.5),
               ask_again, grant[1], grant[2], grant[3]}
for _, limit in ipairs(limits) do
  local promise = 0
  if limit.count >= 0 and limit.known and call.leave == 0 and
     not (limit.window and limit.period < 300000) then
    local out, kept = spoken_for(limit)
    local left = limit.count - used_of(limit) - out
    local own = share_of(call.share, limit) - outstanding(mine, limit.unit)
    promise = math.max(0, math.min(math.floor(call.share * left + 1e-9), left - kept, own))
    mine.offered[limit.id] = promise
  end
  reply[#reply + 1] = promise
  reply[#reply + 1] = limit.known and 1 or 0
end

if fresh then redis.call('DEL', KEYS[2]) end
if created then common.counters = common.counters + 1 end
redis.call('SET', KEYS[1], cmsgpack.pack(common))
redis.call('HSET', KEYS[2], call.counter, cmsgpack.pack(counter))
return reply
)lua";
}

}  // namespace outpost::store
