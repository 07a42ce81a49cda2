-- ARGV: user, bypass. Answers who was joined: {'ok', {{user, id…}…}}
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
  return { 'ok', removed }
end
-- the log outlives the room until it has been published, and with it those who are to get it
local at = log_state()
changed(6, '', 0, {}, removed)
keep_bodies()
local fields = { 's', 'oe', 'oa', 'ol', 'oh', 'of', 'og', 'ov', 'ot', 'dv', 'dj', 'dc' }
for seq = at.oldest, at.s - 1 do fields[#fields + 1] = 'E:' .. seq end
local kept, devices = get_all(fields), set_names('D')
call('UNLINK', key)
call('HSET', key, 're', at.epoch)
for i = 1, #fields do
  if kept[i] then call('HSET', key, fields[i], kept[i]) end
end
for _, name in ipairs(devices) do set_add('D', name) end
return finish({ 'ok', removed })
