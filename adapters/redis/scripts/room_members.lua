-- Answers {'ok', {user, has access, id, life, id, life…}…}.
if not room_exists() then return { 'no_room' } end
local out = { 'ok' }
for _, user in ipairs(set_names('M')) do
  local member = { user, has_access(user) and 1 or 0 }
  for _, c in ipairs(connections_of(user)) do
    member[#member + 1] = c[1]
    member[#member + 1] = c[2]
  end
  out[#out + 1] = member
end
return out
