-- ARGV: user, id, life, now, how it reads, name of the try, then those of a history. A tombstone of the same or a later
-- life refuses it: the connection has ended meanwhile, and what ended it will not come here again.
-- Answers {'ok', sequence, newly, user newly, njoined, userlist updates, access list updates, history}.
if not room_exists() then return { 'no_room' } end
local user, id, life, now, reads = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
if me == '' then reads = '' end -- nobody publishes for others
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
    if (c[3] or '') ~= reads then
      audience_count(c[3] or '', id, -1)
      audience_count(reads, id, 1)
      c[3] = reads
    end
  end
end
if newly == 1 then
  if log_is_full() then return { 'unavailable' } end
  connections[#connections + 1] = { id, life, reads }
  audience_count(reads, id, 1)
end
call('HSET', key, 'C:' .. user, cmsgpack.pack(connections))
if user_newly == 1 then
  set_add('M', user)
  call('HSET', key, 'S:' .. user, now)
end
local uu, au = switches()
local sequence = newly == 1 and changed(1, user, id, user_newly, reads, ARGV[6]) or number('s')
return finish({ 'ok', sequence, newly, user_newly, #connections, uu, au,
  history(ARGV[7], ARGV[8], ARGV[9], ARGV[10]) })
