-- The hash has number -> "<fence> <attempt of the last change> <incarnation or empty>". ARGV: from, to, attempt,
-- numbers. Answers {'ok', number that was changed…}; the same attempt again answers the same.
local from, to, attempt = ARGV[1], ARGV[2], ARGV[3]
local out = { 'ok' }
for i = 4, #ARGV do
  local fence, by, owner = string.match(get(ARGV[i]) or '0 - ', '^(%d+) (%S+) (.*)$')
  if by == attempt then
    out[#out + 1] = tonumber(ARGV[i])
  elseif owner == from and from ~= to then
    call('HSET', key, ARGV[i], tonumber(fence) + 1 .. ' ' .. attempt .. ' ' .. to)
    out[#out + 1] = tonumber(ARGV[i])
  end
end
return out
