-- ARGV: fence, last entry that was published. Answers {'ok', {…, turn}}: see `finish`.
local at = log_state()
local out = { 0, at.epoch, 0, not_ours() }
if at.holder ~= me or at.fence ~= tonumber(ARGV[1]) or at.begins then return { 'ok', out } end
local done = math.min(tonumber(ARGV[2]), at.s)
at.first = math.max(at.first, done + 1)
if at.first > at.s and not at.exists then
  call('UNLINK', key) -- the last of a removed room
  return { 'ok', out }
end
local oldest = math.max(at.oldest, at.first - kept_published)
drop_entries(at.oldest, oldest - 1)
local set = { 'oa', at.first, 'ol', oldest, 'ot', wall }
if at.first > at.s or (not can_publish and last_given <= done) then
  set[#set + 1] = 'oh'
  set[#set + 1] = ''
else
  out[4] = give(set, false)
end
call('HSET', key, unpack(set))
return { 'ok', out }
