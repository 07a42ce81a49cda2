-- ARGV: user, bypass. Answers who was joined: {'ok', {{user, id…}…}}
if not room_exists() then return { 'no_room' } end
if ARGV[2] ~= '1' and not is_owner(ARGV[1]) then return { 'not_allowed' } end
local removed = {}
for _, user in ipairs(set_names('M')) do
  local member = { user }
  for _, c in ipairs(connections_of(user)) do member[#member + 1] = c[1] end
  removed[#removed + 1] = member
end
call('UNLINK', key)
return { 'ok', removed }
