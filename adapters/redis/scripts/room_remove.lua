-- ARGV: user, bypass. Answers who was joined: {'ok', {{user, id…}…}, sequence, epoch or empty without a log}
if not room_exists() then return { 'no_room' } end
if ARGV[2] ~= '1' and not is_owner(ARGV[1]) then return { 'not_allowed' } end
local removed = {}
for _, user in ipairs(set_names('M')) do
  local member = { user }
  for _, c in ipairs(connections_of(user)) do member[#member + 1] = c[1] end
  removed[#removed + 1] = member
end
if me == '' then
  call('UNLINK', key)
  return { 'ok', removed, 0, '' }
end
-- The log outlives the room until it has been published, and with it those who are to get it. The key must never be
-- missing in between: while a cluster moves its slot, the rest of this script would be refused.
local at = log_state()
local sequence = changed(6, '', 0, {}, removed)
keep_bodies()
call('HSET', key, 're', at.epoch)
local stays = { s = true, re = true, dv = true, dj = true, dc = true }
local dropped = {}
local function drop()
  if #dropped > 0 then call('HDEL', key, unpack(dropped)) end
  dropped = {}
end
for _, field in ipairs(call('HKEYS', key)) do
  if not stays[field] and not string.find(field, '^E:') and not string.find(field, '^D[#:.]') and
    not string.find(field, '^o[a-z]$') then
    dropped[#dropped + 1] = field
    if #dropped == 1000 then drop() end
  end
end
drop()
return finish({ 'ok', removed, sequence, at.epoch })
