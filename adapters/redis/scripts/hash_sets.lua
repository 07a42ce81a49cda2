-- Goes before every other script: sets and queues inside the one hash that KEYS[1] names.
--
-- A room, or a user, is one hash. So all of it is in one slot, and while a cluster moves a slot, it is on the one node
-- or on the other, never half: a command never meets TRYAGAIN, and a room that does not exist is told from one that
-- has moved. Reading all names of a set must not read the history beside it, therefore sets are numbered arrays:
--   S#        how many names
--   S:<name>  its place
--   S.<place> its name; removing one moves the last to its place
-- Queues have expiry times and are oldest first:
--   Q<        place of the oldest     Q>  place after the newest
--   Q.<place> "<until ms> <name>"     Q:<name>  what is kept for the name
-- Numbers are doubles in Lua: ids, times and places are exact up to 2^53, and are joined to text exactly up to 10^14.

local key = KEYS[1]
local call = redis.call

local function get(field) return call('HGET', key, field) end

local function number(field) return tonumber(get(field) or '0') end

-- Replies and ARGV are limited by Lua's stack when unpacked, so long ones are asked for in pieces.
local function get_all(fields)
  local out = {}
  for from = 1, #fields, 1000 do
    local some = call('HMGET', key, unpack(fields, from, math.min(from + 999, #fields)))
    for i = 1, #some do out[#out + 1] = some[i] end
  end
  return out
end

local function set_size(set) return number(set .. '#') end

local function set_has(set, name) return call('HEXISTS', key, set .. ':' .. name) == 1 end

local function set_add(set, name)
  if set_has(set, name) then return false end
  local n = set_size(set)
  call('HSET', key, set .. ':' .. name, n, set .. '.' .. n, name, set .. '#', n + 1)
  return true
end

local function set_remove(set, name)
  local place = get(set .. ':' .. name)
  if not place then return false end
  local last = set_size(set) - 1
  if tonumber(place) ~= last then
    local moved = get(set .. '.' .. last)
    call('HSET', key, set .. '.' .. place, moved, set .. ':' .. moved, place)
  end
  call('HDEL', key, set .. ':' .. name, set .. '.' .. last)
  call('HSET', key, set .. '#', last)
  return true
end

local function set_names(set)
  local fields = {}
  for i = 0, set_size(set) - 1 do fields[#fields + 1] = set .. '.' .. i end
  return get_all(fields)
end

-- Drops what has expired, and the oldest as long as there are more than `bound`.
local function queue_trim(queue, now, bound)
  local ends = call('HMGET', key, queue .. '<', queue .. '>')
  local first, after = tonumber(ends[1] or '0'), tonumber(ends[2] or '0')
  local oldest = first
  while first < after do
    local entry = get(queue .. '.' .. first)
    local blank = string.find(entry, ' ', 1, true)
    if after - first <= bound and tonumber(string.sub(entry, 1, blank - 1)) > now then break end
    call('HDEL', key, queue .. '.' .. first, queue .. ':' .. string.sub(entry, blank + 1))
    first = first + 1
  end
  if first ~= oldest then call('HSET', key, queue .. '<', first) end
end

-- The name must not be in the queue.
local function queue_push(queue, name, kept, until_ms)
  local after = number(queue .. '>')
  call('HSET', key, queue .. '.' .. after, string.format('%.0f', until_ms) .. ' ' .. name, queue .. ':' .. name, kept,
       queue .. '>', after + 1)
end

local function queue_get(queue, name) return get(queue .. ':' .. name) end
