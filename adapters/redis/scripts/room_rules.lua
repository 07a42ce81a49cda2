-- Goes before every script about a room, after hash_sets.lua and room_log.lua: who may do what (the same rules as core/room_state.cpp).
--
-- Fields of a room:
--   e  epoch          o   owner, absent for nobody      wo  1 in whitelist mode
--   uu au  switches of userlist and access list updates hm  historyMaxSize
--   l  last message id    f  oldest kept id, l + 1 when none is kept    s  counts changes (room_log.lua has the rest)
--   A W B  sets: adminlist, whitelist, blacklist        M  set: users who are joined
--   C:<user>  their connections: a list of {id, life, how it reads}   S:<user>  time of the last change
--   h:<id>    a message, CBOR without its id
--   K  queue: clients' idempotency keys                 T  queue: tokens of our own attempts
--   X  queue: tombstones, connections that have ended
-- A room exists when it has an epoch. Replies: {'ok', …} or {code of core/errc.hpp, argument…}.

local lists = { adminlist = 'A', whitelist = 'W', blacklist = 'B' }

local function room_exists() return call('HEXISTS', key, 'e') == 1 end

local function is_owner(user) return user ~= '' and get('o') == user end

local function is_admin(user) return is_owner(user) or set_has('A', user) end

local function has_access(user)
  if is_admin(user) then return true end
  return not set_has('B', user) and (get('wo') ~= '1' or set_has('W', user))
end

local function is_joined(user) return set_has('M', user) end

local function may_read(user, bypass) return bypass == '1' or is_joined(user) or is_admin(user) end

local function connections_of(user)
  local packed = get('C:' .. user)
  return packed and cmsgpack.unpack(packed) or {}
end

local function switches() return get('uu'), get('au') end

local function remove_member(user, now, connections)
  set_remove('M', user)
  for _, c in ipairs(connections) do audience_count(c[3] or '', c[1], -1) end
  call('HDEL', key, 'C:' .. user)
  call('HSET', key, 'S:' .. user, now)
end

-- {user, id…} when that user was joined and has no access any more.
local function remove_if_shut_out(user, now)
  if not is_joined(user) or has_access(user) then return nil end
  local removed = { user }
  local connections = connections_of(user)
  for _, c in ipairs(connections) do removed[#removed + 1] = c[1] end
  remove_member(user, now, connections)
  return removed
end

-- What an edit did: {'ok', sequence, userlist updates, access list updates, {name…}, {{user, id…}…}, epoch or empty
-- without a log}. The kind is one of those of `changed`; a list that has not changed is none.
local function access_change(kind, list, on, names, candidates, now)
  local removed = {}
  for _, user in ipairs(candidates) do
    removed[#removed + 1] = remove_if_shut_out(user, now)
  end
  local uu, au = switches()
  local epoch = ''
  if me ~= '' then
    local at = log_state()
    at.uu, at.au, epoch = uu, au, at.epoch
  end
  local is_change = kind ~= 3 or #names > 0
  local sequence = is_change and changed(kind, list, on, names, removed) or number('s')
  return finish({ 'ok', sequence, uu, au, names, removed, epoch })
end

-- {user left: 0 or 1, njoined, how it read}, or nil when the connection was not joined. A life keeps the end of an earlier
-- connection with the same id from taking a later one out; an empty one means whichever is there.
local function take_out(user, id, life, now)
  local connections = connections_of(user)
  for i, c in ipairs(connections) do
    if c[1] == id and (life == '' or c[2] <= tonumber(life)) then
      table.remove(connections, i)
      audience_count(c[3] or '', id, -1)
      if #connections == 0 then
        remove_member(user, now, connections)
        return { 1, 0, c[3] or '' }
      end
      call('HSET', key, 'C:' .. user, cmsgpack.pack(connections))
      return { 0, #connections, c[3] or '' }
    end
  end
  return nil
end

local function trim_history(first, last, max)
  while last - first + 1 > max do
    local fields = {}
    while #fields < 1000 and last - first + 1 > max do
      fields[#fields + 1] = 'h:' .. first
      first = first + 1
    end
    call('HDEL', key, unpack(fields))
  end
  call('HSET', key, 'f', first)
end

-- `kind` is none, recent or after. Answers {gap, epoch, first, last, {message, newest first}}; the message at place i
-- has the id `newest - i`: {…, newest}.
local function history(kind, after, limit, epoch)
  local at = call('HMGET', key, 'e', 'f', 'l')
  local first, last = tonumber(at[2]), tonumber(at[3])
  local gap = epoch ~= '' and epoch ~= at[1]
  local from, to = 1, 0
  after, limit = tonumber(after), tonumber(limit)
  if kind == 'recent' then
    from, to = math.max(first, last - limit + 1), last
  elseif kind == 'after' then
    gap = gap or after > last or after + 1 < first
    if after < last then
      from = math.max(first, after + 1)
      to = math.min(last, from + limit - 1)
    end
  end
  local fields = {}
  for id = to, from, -1 do fields[#fields + 1] = 'h:' .. id end
  return { gap and 1 or 0, at[1], first, last, get_all(fields), to }
end
