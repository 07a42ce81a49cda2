-- Ends a connection, or goes on with an end that was not finished.
-- ARGV: id, attempt, who ends it, now, for how many ms others keep away.
-- Answers {'ok', was connected, connections left, life, instance, attempt, room…}; not connected: there is nothing to do.
--
-- Whoever goes on does so under the first one's attempt, so that the rooms answer again what came of it: what was not
-- told before the first one failed is told now.
local id, now = ARGV[1], tonumber(ARGV[4])
local r = record('c', id)
local dead = record('d', id)
if not r and not dead then return { 'ok', 0, set_size('N'), 0, '', '' } end
if not r and dead.w ~= ARGV[3] and now < dead.t + tonumber(ARGV[5]) then return { 'unavailable' } end
if r then
  set_remove('N', id)
  call('HDEL', key, 'c:' .. id)
  if dead then -- an earlier life that is still leaving: this end finishes both
    for room in pairs(dead.r) do r.r[room] = 'j' end
  end
  r.o = ARGV[2]
  set_add('D', id)
  dead = r
end
dead.w, dead.t = ARGV[3], now
keep('d', id, dead)
local out = { 'ok', 1, set_size('N'), dead.l, dead.i, dead.o }
for room in pairs(dead.r) do out[#out + 1] = room end
return out
