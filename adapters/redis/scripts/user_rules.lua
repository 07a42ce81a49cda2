-- Goes before every script about a user, after hash_sets.lua (the same rules as core/user_state.cpp).
--
-- Fields of a user:
--   wo  1 in whitelist mode      W B  sets: whitelist, blacklist
--   n   last life given out      N    set: ids of the connections
--   c:<id>  a connection: {l = life, i = instance, r = {room = 'p' or 'j'}, a = {room = {epoch, sequence}}: where in
--                the rooms' logs it joined, if they have any}
--   d:<id>  one that has ended and has not left all its rooms yet: the same, and {o = attempt that ended it,
--                w = who is at it, t = since when}     D  set of their ids
-- A life tells two connections with the same id apart, also after the user was deleted: it is at least the time in ms.
-- The rooms of a connection are an index that may name too many: the room is the truth. 'p' are joins under way.

local lists = { whitelist = 'W', blacklist = 'B' }

local function user_exists() return call('HEXISTS', key, 'n') == 1 end

local function create_user(whitelist_only) call('HSET', key, 'n', 0, 'wo', whitelist_only) end

local function record(kind, id)
  local packed = get(kind .. ':' .. id)
  return packed and cmsgpack.unpack(packed)
end

local function keep(kind, id, r) call('HSET', key, kind .. ':' .. id, cmsgpack.pack(r)) end

local function life_text(life) return string.format('%.0f', life) end
