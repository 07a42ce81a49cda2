-- ARGV: user, id, life, now, then those of a history. A tombstone of the same or a later life refuses it: the
-- connection has ended meanwhile, and what ended it will not come here again.
-- Answers {'ok', sequence, newly, user newly, njoined, userlist updates, access list updates, history}.
if not room_exists() then return { 'no_room' } end
local user, id, life, now = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local tombstone = queue_get('X', id .. ' ' .. ARGV[3])
if tombstone then return { 'invalid_socket', id } end
if not has_access(user) then return { 'not_allowed' } end
local connections = connections_of(user)
local user_newly = #connections == 0 and 1 or 0
local newly = 1
for _, c in ipairs(connections) do
  if c[1] == id then
    newly = 0
    c[2] = math.max(c[2], life)
  end
end
if newly == 1 then connections[#connections + 1] = { id, life } end
call('HSET', key, 'C:' .. user, cmsgpack.pack(connections))
if user_newly == 1 then
  set_add('M', user)
  call('HSET', key, 'S:' .. user, now)
end
local uu, au = switches()
return { 'ok', changed(), newly, user_newly, #connections, uu, au, history(ARGV[5], ARGV[6], ARGV[7], ARGV[8]) }
