-- A connection has ended: it leaves, and a tombstone keeps a join that is still under way from bringing it back.
-- ARGV: user, id, life, now, attempt, lifetime of the tombstone in ms. Answers as room_leave.lua.
--
-- May be run again after its outcome was lost, also by another instance that goes on with the same attempt: the
-- tombstone keeps what came of it for the same attempt, with the entry that was written and by whom.
if not room_exists() then return { 'no_room' } end
local user, id, life, now, attempt = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local uu, au = switches()
local tombstone = queue_get('X', id .. ' ' .. life)
if tombstone then
  local known = cmsgpack.unpack(tombstone)
  local kept = known[1] == attempt and known or { attempt, 0, 0, 0, 0, '', '' }
  call('HSET', key, 'uu', uu) -- for WAIT
  local own = me ~= '' and kept[6] == me and kept[5] or 0
  return finish({ 'ok', number('s'), kept[2], kept[3], kept[4], uu, au, kept[7] or '' }, own)
end
local left = take_out(user, id, life, ARGV[4])
local sequence = left and changed(2, user, id, left[1], left[3]) or number('s')
local kept = { attempt, left and 1 or 0, left and left[1] or 0, left and left[2] or #connections_of(user),
  left and sequence or 0, me, left and left[3] or '' }
queue_trim('X', now, 100000)
queue_push('X', id .. ' ' .. life, cmsgpack.pack(kept), now + tonumber(ARGV[6]))
return finish({ 'ok', sequence, kept[2], kept[3], kept[4], uu, au, kept[7] })
