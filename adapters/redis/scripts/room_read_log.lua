-- ARGV: epoch or empty, after or empty for the log's end, limit, whether replicas must have what is shown.
-- Answers {'ok', complete, last, epoch or empty, {entry…}}.
local at = log_state()
local last, epoch = at.s, at.exists or ''
-- something written makes WAIT cover what others wrote before
if ARGV[4] == '1' and last > 0 then call('HSET', key, 's', last) end
if ARGV[2] == '' then return { 'ok', 1, last, epoch, {} } end
local after, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
local complete = after <= last and after + 1 >= at.oldest
local out = complete and entries(after + 1, last, limit) or {}
if complete and ARGV[1] ~= '' then
  -- Numbers begin anew when a removed room has been published to its end. Where the log only goes on in a room that
  -- was made anew, the entry before a reader's first is of the epoch before.
  local before = get('E:' .. after)
  local here = before and cmsgpack.unpack(before)[2] == ARGV[1] or (out[1] and out[1][3] or epoch) == ARGV[1]
  if not here and last > 0 then complete, out = false, {} end
end
return { 'ok', complete and 1 or 0, last, epoch, out }
