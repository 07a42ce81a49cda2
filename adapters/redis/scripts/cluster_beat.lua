-- ARGV: incarnation, whether it is the first beat, now. Answers {'ok', whether it lives}.
local known = life(ARGV[1])
if known and known[2] then return { 'ok', 0 } end
if not known and ARGV[2] ~= '1' then return { 'ok', 0 } end
local beats = known and string.match(known[1], ' (%d+)$') or '0'
call('HSET', key, ARGV[1], ARGV[3] .. ' ' .. (tonumber(beats) + 1))
return { 'ok', 1 }
