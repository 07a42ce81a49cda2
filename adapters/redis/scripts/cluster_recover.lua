-- ARGV: who is dead, who recovers it, now, for how many ms. Answers {'ok', whether the caller is the one who does}.
local known, now = life(ARGV[1]), tonumber(ARGV[3])
if not known then return { 'ok', 0 } end
if known[2] and known[3] ~= ARGV[2] and now < known[2] then
  local other = life(known[3])
  if other and not other[2] then return { 'ok', 0 } end -- who recovers it lives
end
call('HSET', key, ARGV[1], known[1] .. ' ' .. string.format('%.0f', now + tonumber(ARGV[4])) .. ' ' .. ARGV[2])
return { 'ok', 1 }
