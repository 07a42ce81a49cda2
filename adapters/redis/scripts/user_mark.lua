-- ARGV: id, life or empty, room, what: joined, gone, cancelled (gone unless joined).
local r = record('c', ARGV[1])
if not r or (ARGV[2] ~= '' and r.l ~= tonumber(ARGV[2])) then return { 'ok' } end
local room, what = ARGV[3], ARGV[4]
if what == 'joined' then
  r.r[room] = 'j'
elseif what == 'gone' or r.r[room] == 'p' then
  r.r[room] = nil
end
keep('c', ARGV[1], r)
return { 'ok' }
