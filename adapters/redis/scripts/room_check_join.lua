-- ARGV: user, id. Answers {'ok', already joined, connections of the user once it is}.
if not room_exists() then return { 'no_room' } end
if not has_access(ARGV[1]) then return { 'not_allowed' } end
local connections = connections_of(ARGV[1])
for _, c in ipairs(connections) do
  if c[1] == ARGV[2] then return { 'ok', 1, #connections } end
end
return { 'ok', 0, #connections + 1 }
