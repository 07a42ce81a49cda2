-- ARGV: user, id, life or empty, now. Answers {'ok', sequence, changed, user left, njoined, userlist updates, access
-- list updates, how the connection read}.
if not room_exists() then return { 'no_room' } end
local uu, au = switches()
local left = take_out(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if left then
  return finish({ 'ok', changed(2, ARGV[1], ARGV[2], left[1], left[3]), 1, left[1], left[2], uu, au, left[3] })
end
return finish({ 'ok', number('s'), 0, 0, #connections_of(ARGV[1]), uu, au, '' })
