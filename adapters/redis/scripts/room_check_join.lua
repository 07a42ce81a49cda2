-- ARGV: user, id. Answers {'ok', already joined, connections of the user once it is, sequence, epoch}.
local at = call('HMGET', key, 'e', 's')
if not at[1] then return { 'no_room' } end
local sequence = tonumber(at[2] or '0')
if not has_access(ARGV[1]) then return { 'not_allowed' } end
local connections = connections_of(ARGV[1])
for _, c in ipairs(connections) do
  if c[1] == ARGV[2] then return { 'ok', 1, #connections, sequence, at[1] } end
end
return { 'ok', 0, #connections + 1, sequence, at[1] }
