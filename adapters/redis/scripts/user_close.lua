-- Ends a connection, or finds one whose end was not finished. ARGV: id.
-- Answers {'ok', was connected, connections left, life, instance, room…}; life 0 when there is nothing to do.
local id = ARGV[1]
local r = record('c', id)
local dead = record('d', id)
if not r and not dead then return { 'ok', 0, set_size('N'), 0, '' } end
if r then
  set_remove('N', id)
  call('HDEL', key, 'c:' .. id)
  if dead then -- an earlier life that is still leaving: this end finishes both
    for room in pairs(dead.r) do r.r[room] = 'j' end
  end
  set_add('D', id)
  keep('d', id, r)
  dead = r
else
  call('HSET', key, 'n', get('n')) -- for WAIT
end
local out = { 'ok', 1, set_size('N'), dead.l, dead.i }
for room in pairs(dead.r) do out[#out + 1] = room end
return out
