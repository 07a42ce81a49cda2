-- ARGV: from whom, or empty for whoever has made no progress for so many ms. Answers {'ok', {…, turn}}: see
-- `finish`; the fence is 0 when there is nothing to publish.
local at = log_state()
local out = { 0, at.epoch, 0, not_ours() }
if at.begins or at.first > at.s then
  out[4][2] = 0
  return { 'ok', out }
end
if not can_publish then return { 'ok', out } end
local from = ARGV[1]
if at.holder ~= '' and at.holder ~= me and at.holder ~= from then
  if from ~= '' or wall - at.progress < tonumber(ARGV[2]) then return { 'ok', out } end
end
local set = {}
-- a caller who is at it goes on; one who became it and does not know, or has lost something, gets all of it anew
local goes_on = at.holder == me and known_fence == at.fence and last_given >= at.first
out[4] = give(set, not goes_on)
if #set > 0 then call('HSET', key, unpack(set)) end
return { 'ok', out }
