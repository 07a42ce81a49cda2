-- ARGV: user, bypass, message, attempt, now, idempotency key, its window, bound of keys.
-- Answers {'ok', id, repeated, sequence}.
--
-- May be run again after its outcome was lost: an attempt that is known has been stored, whoever noticed. That is not
-- a repetition of the client's, so `repeated` is 0 and the caller goes on as if this were the first answer.
local attempt_window, attempt_bound = 60000, 10000

local user, attempt, now = ARGV[1], ARGV[4], tonumber(ARGV[5])
local client_key, bound = ARGV[6], tonumber(ARGV[8])
local at = call('HMGET', key, 'e', 'l', 'f', 'hm', 'M:' .. user)
if not at[1] then return { 'no_room' } end

-- Anything written makes WAIT cover what was stored before; a read would not.
local function stored_before(id, repeated, sequence)
  call('HSET', key, 'l', at[2])
  return finish({ 'ok', tonumber(id), repeated, number('s') }, sequence)
end

local before = queue_get('T', attempt)
if before then -- "id", or "id sequence"
  local blank = string.find(before, ' ', 1, true)
  if not blank then return stored_before(before, 0) end
  return stored_before(string.sub(before, 1, blank - 1), 0, tonumber(string.sub(before, blank + 1)))
end
if ARGV[2] ~= '1' and not at[5] then return { 'not_joined' } end
if client_key ~= '' then
  queue_trim('K', now, bound)
  before = queue_get('K', client_key)
  if before then return stored_before(before, 1) end
end

if log_is_full() then return { 'unavailable' } end
local id, first, max = tonumber(at[2]) + 1, tonumber(at[3]), tonumber(at[4])
local sequence = changed(0, id, max < inline_below and ARGV[3] or '')
queue_trim('T', now, attempt_bound - 1)
queue_push('T', attempt, me == '' and id or id .. ' ' .. sequence, now + attempt_window)
if client_key ~= '' and bound > 0 then
  queue_trim('K', now, bound - 1)
  queue_push('K', client_key, id, now + tonumber(ARGV[7]))
end
if max == 0 then
  call('HSET', key, 'l', id, 'f', id + 1)
else
  call('HSET', key, 'l', id, 'h:' .. id, ARGV[3])
  if id - first + 1 > max then trim_history(first, id, max) end
end
return finish({ 'ok', id, 0, sequence })
