-- ARGV: epoch, owner, whitelist only, userlist updates, access list updates, history size, then for adminlist,
-- whitelist and blacklist each: how many names, the names.
if room_exists() then return { 'room_exists' } end
if call('EXISTS', key) == 1 then -- what is left of a removed room: its numbers go on, its audience does not
  for _, name in ipairs(set_names('D')) do set_remove('D', name) end
  call('HDEL', key, 'dj', 'dc', 're')
end
call('HSETNX', key, 's', 0)
call('HSET', key, 'e', ARGV[1], 'wo', ARGV[3], 'uu', ARGV[4], 'au', ARGV[5], 'hm', ARGV[6], 'l', 0, 'f', 1)
if ARGV[2] ~= '' then call('HSET', key, 'o', ARGV[2]) end
local at = 7
for _, set in ipairs({ 'A', 'W', 'B' }) do
  local n = tonumber(ARGV[at])
  for i = at + 1, at + n do set_add(set, ARGV[i]) end
  at = at + n + 1
end
return { 'ok' }
