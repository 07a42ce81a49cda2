-- ARGV: user, id, life, now, how it reads, name of the try, whether the log is to have an entry also when it had joined
-- before, then those of a history. A tombstone of its life refuses it: the connection has ended meanwhile, and what
-- ended it will not come here again.
-- Answers {'ok', sequence, newly, user newly, njoined, userlist updates, access list updates, history}.
if not room_exists() then return { 'no_room' } end
local user, id, life, now, reads = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
if me == '' then reads = '' end -- nobody publishes for others
local tombstone = queue_get('X', id .. ' ' .. ARGV[3])
if tombstone then return { 'invalid_socket', id } end
if not has_access(user) then return { 'not_allowed' } end
local connections = connections_of(user)
local user_newly = #connections == 0 and 1 or 0
local known
for _, c in ipairs(connections) do
  if c[1] == id then known = c end
end
local newly = known and 0 or 1
local enters_log = newly == 1 or ARGV[7] == '1'
if enters_log and log_is_full() then return { 'unavailable' } end
if newly == 1 then
  connections[#connections + 1] = { id, life, reads }
  audience_count(reads, id, 1)
else
  known[2] = math.max(known[2], life)
  if (known[3] or '') ~= reads then
    audience_count(known[3] or '', id, -1)
    audience_count(reads, id, 1)
    known[3] = reads
  end
end
call('HSET', key, 'C:' .. user, cmsgpack.pack(connections))
if user_newly == 1 then
  set_add('M', user)
  call('HSET', key, 'S:' .. user, now)
end
local uu, au = switches()
local sequence = enters_log and changed(1, user, id, user_newly, reads, ARGV[6]) or number('s')
return finish({ 'ok', sequence, newly, user_newly, #connections, uu, au,
  history(ARGV[8], ARGV[9], ARGV[10], ARGV[11]) })
