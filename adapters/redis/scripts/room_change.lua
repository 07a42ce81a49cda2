-- ARGV: now, what (owner, history, access, userlist), value; an empty owner is nobody.
if not room_exists() then return { 'no_room' } end
if log_is_full() then return { 'unavailable' } end
local what, new = ARGV[2], ARGV[3]
local candidates = {}
if what == 'owner' then
  local former = get('o')
  if former then candidates = { former } end
  if new == '' then call('HDEL', key, 'o') else call('HSET', key, 'o', new) end
elseif what == 'history' then
  if tonumber(new) < inline_below then keep_bodies() end
  call('HSET', key, 'hm', new)
  trim_history(number('f'), number('l'), tonumber(new))
elseif what == 'access' then
  call('HSET', key, 'au', new)
else
  call('HSET', key, 'uu', new)
end
return access_change(5, '', 0, {}, candidates, ARGV[1])
