-- ARGV: from whom, or empty for whoever has made no progress for so many ms. Answers {'ok', {…, turn}}: see `finish`.
local at = log_state()
local out = { 0, at.epoch, 0, not_ours }
if not can_publish or at.begins or at.first > at.s then return { 'ok', out } end
local from = ARGV[1]
if at.holder ~= '' and at.holder ~= me and at.holder ~= from then
  if from ~= '' or wall - at.progress < tonumber(ARGV[2]) then return { 'ok', out } end
end
local set = {}
out[4] = give(set, true)
call('HSET', key, unpack(set))
return { 'ok', out }
