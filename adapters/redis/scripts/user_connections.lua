-- Answers {'ok', {id, instance, joined room…}…}.
if not user_exists() then return { 'no_user' } end
local out = { 'ok' }
for _, id in ipairs(set_names('N')) do
  local r = record('c', id)
  local row = { id, r.i }
  for room, state in pairs(r.r) do
    if state == 'j' then row[#row + 1] = room end
  end
  out[#out + 1] = row
end
return out
