-- Goes before the rules of a room: its log, and who publishes it (core/ports/room_log.hpp).
--
-- The last ARGV is the name of the incarnation that keeps a log, or empty: then there is no log, and what follows costs
-- nothing. Else these stand before it, and are taken off: known version of the audience, whether answers about this
-- room are still under way to the caller, last entry that it was given to publish, fence of the turn in which it was,
-- whether it can publish, its clock.
--
-- Fields, of the same hash (kept when the room is removed, until the last entry has been published):
--   s   last sequence number       oe  the last that is in the log: another one means that somebody kept none
--   E:<sequence>  an entry: {kind, epoch, origin, switches, …}, see `changed`
--   ol  oldest kept entry          oa  first that has not been published, s + 1 when all are
--   oh  incarnation that publishes, empty or absent for nobody     of  fence, grows with each change of it
--   ot  clock of its last progress og  last entry that an answer gave it        ov  audience that an answer gave it
--   D   set: devices that are served one by one, "json mqtt#user/client"        dj dc  how many read the shared topics
--   dv  counts changes of these    re  epoch of the removed room, in what is left of one

local max_unpublished, kept_published = 4096, 256
local inline_below = 8192 -- a history that keeps fewer may lose a body before it has been published
local max_given, max_bytes = 512, 1000000 -- of one answer; the rest comes with the next

local me = table.remove(ARGV)
local wall, can_publish, known_fence, last_given, answers_under_way, known_audience
if me ~= '' then
  wall = tonumber(table.remove(ARGV))
  can_publish = table.remove(ARGV) == '1'
  known_fence = tonumber(table.remove(ARGV))
  last_given = tonumber(table.remove(ARGV))
  answers_under_way = table.remove(ARGV) == '1'
  known_audience = table.remove(ARGV)
end

local the_log

local function log_state()
  if the_log then return the_log end
  local at = call('HMGET', key, 's', 'oe', 'oa', 'ol', 'oh', 'of', 'og', 'ov', 'e', 're', 'uu', 'au', 'dv', 'ot')
  local s = tonumber(at[1] or '0')
  the_log = {
    s = s, holder = at[5] or '', fence = tonumber(at[6] or '0'), given = tonumber(at[7] or '0'), seen = at[8] or '',
    epoch = at[9] or at[10] or '', exists = at[9], uu = at[11], au = at[12], dv = tonumber(at[13] or '0'),
    progress = tonumber(at[14] or '0'),
  }
  if at[2] and tonumber(at[2]) == s then
    the_log.first, the_log.oldest = tonumber(at[3]), tonumber(at[4])
  else -- begins now, or anew
    the_log.first, the_log.oldest, the_log.begins, the_log.holder = s + 1, s + 1, true, ''
    if at[2] then the_log.stale_from, the_log.stale_to = tonumber(at[4]), tonumber(at[2]) end
  end
  return the_log
end

-- Whether nothing may be added, because too much has not been published.
local function log_is_full()
  if me == '' then return false end
  local at = log_state()
  return at.s - at.first + 1 >= max_unpublished
end

-- Every change counts. Kinds are those of room_entry_kind; what they have more:
--   0 message: id, body (empty: it is in h:<id>)        1 joined, 2 left: user, id, user changed, reads; 1: try
--   3 list edited, 4 mode set, 5 changed, 6 room removed: list, on, names, removed
-- `finish` writes it.
local function changed(kind, a, b, c, d, e)
  if me == '' then return call('HINCRBY', key, 's', 1) end
  local at = log_state()
  at.s = at.s + 1
  at.entry = { kind, at.epoch, me, 0, a, b, c, d, e }
  return at.s
end

local function drop_entries(from, to)
  while from <= to do
    local fields = {}
    for seq = from, math.min(to, from + 999) do fields[#fields + 1] = 'E:' .. seq end
    call('HDEL', key, unpack(fields))
    from = from + 1000
  end
end

-- The bodies that only the history has go into the entries.
local function keep_bodies()
  if me == '' then return end
  local at = log_state()
  for seq = at.oldest, at.entry and at.s - 1 or at.s do
    local packed = get('E:' .. seq)
    local entry = packed and cmsgpack.unpack(packed)
    if entry and entry[1] == 0 and entry[6] == '' then
      entry[6] = get('h:' .. entry[5]) or ''
      call('HSET', key, 'E:' .. seq, cmsgpack.pack(entry))
    end
  end
end

-- {{sequence, kind, epoch, origin, switches, …}…}, the last sequence among them
local function entries(from, to, limit)
  local out, bytes, seq = {}, 0, from
  to = math.min(to, from + limit - 1)
  while seq <= to and bytes < max_bytes do
    local fields = {}
    for i = seq, math.min(to, seq + 15) do fields[#fields + 1] = 'E:' .. i end
    for _, packed in ipairs(call('HMGET', key, unpack(fields))) do
      if not packed or bytes >= max_bytes then return out, seq - 1 end
      local entry = cmsgpack.unpack(packed)
      if entry[1] == 0 and entry[6] == '' then entry[6] = get('h:' .. entry[5]) or '' end
      bytes = bytes + #packed + (entry[1] == 0 and #entry[6] or 0)
      table.insert(entry, 1, seq)
      out[#out + 1] = entry
      seq = seq + 1
    end
  end
  return out, seq - 1
end

local function audience_count(reads, id, by)
  if reads == '' then return end
  if reads == 'shared json' then
    call('HINCRBY', key, 'dj', by)
  elseif reads == 'shared cbor' then
    call('HINCRBY', key, 'dc', by)
  elseif by > 0 then
    set_add('D', reads .. ' ' .. id)
  else
    set_remove('D', reads .. ' ' .. id)
  end
  local version = call('HINCRBY', key, 'dv', 1)
  if the_log then the_log.dv = version end
end

-- The caller publishes: puts fields to set into `set`. Answers {ours, fence, first entry given, whether those before
-- it were given by earlier answers, entries, whether the operation's own is the next, audience}.
local function give(set, anew)
  local at = log_state()
  local function put(field, v)
    set[#set + 1] = field
    set[#set + 1] = v
  end
  local from, trusts = at.first, 0
  if anew then
    -- what was left of a removed room may be deleted and begin anew: an old fence must not fit again
    at.fence = at.fence == 0 and math.max(1, wall) or at.fence + 1
    at.given, at.seen = 0, ''
    put('oh', me)
    put('of', at.fence)
    put('ot', wall)
  else
    -- what was given in an earlier turn is not known to be published
    if known_fence == at.fence then from = math.max(from, last_given + 1) end
    if answers_under_way and at.given >= from then from, trusts = at.given + 1, 1 end
  end
  local pending, last = entries(from, at.entry and at.s - 1 or at.s, max_given)
  local own = 0
  if at.entry and last == at.s - 1 then own, last = 1, at.s end
  local audience = {}
  if anew or last > at.given then put('og', last) end
  if own == 1 or #pending > 0 then
    local version = at.epoch .. '.' .. at.dv
    if version ~= known_audience and not (trusts == 1 and version == at.seen) then
      local shared = call('HMGET', key, 'dj', 'dc')
      audience = { version, tonumber(shared[1] or '0'), tonumber(shared[2] or '0'), set_names('D') }
      put('ov', version)
    end
  end
  return { 1, at.fence, from, trusts, pending, own, audience }
end

local function not_ours() return { 0, log_state().fence, 0, 0, {}, 0, {} } end

-- Writes the entry, and adds to an answer what the caller's log needs: {sequence of the own entry or 0, epoch, switches,
-- turn: see `give`}. `own` is the sequence of an entry that an earlier run of the same operation wrote.
local function finish(answer, own)
  if me == '' then return answer end
  local at = log_state()
  local set = {}
  local bits = (at.uu == '1' and 1 or 0) + (at.au == '1' and 2 or 0)
  if at.entry then
    own = at.s
    at.entry[4] = bits
    set = { 's', at.s, 'oe', at.s, 'E:' .. at.s, cmsgpack.pack(at.entry) }
    if at.begins then
      if at.stale_from then drop_entries(at.stale_from, at.stale_to) end
      for _, v in ipairs({ 'oa', at.first, 'ol', at.oldest }) do set[#set + 1] = v end
    end
  end
  local turn
  if can_publish and at.s >= at.first and (at.holder == '' or at.holder == me) then
    turn = give(set, at.holder ~= me)
  end
  if #set > 0 then call('HSET', key, unpack(set)) end
  answer[#answer + 1] = { own or 0, at.epoch, bits, turn or not_ours() }
  return answer
end
