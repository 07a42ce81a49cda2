-- ARGV: user, bypass, what, argument, item.
if not room_exists() then return { 'no_room' } end
if not may_read(ARGV[1], ARGV[2]) then return { 'not_joined' } end
local what, argument, item = ARGV[3], ARGV[4], ARGV[5]
if what == 'owner' then return { 'ok', get('o') } end
if what == 'whitelist_mode' then return { 'ok', get('wo') } end
if what == 'notifications' then return { 'ok', switches() } end
if what == 'history_info' then
  local at = call('HMGET', key, 'hm', 'l', 'e', 'f')
  return { 'ok', at[1], tonumber(at[2]), at[3], tonumber(at[4]) }
end
if what == 'user_seen' then return { 'ok', is_joined(argument) and 1 or 0, get('S:' .. argument) } end
if what == 'access' then return { 'ok', has_access(argument) and 1 or 0 } end
local set = argument == 'userlist' and 'M' or lists[argument]
if not set then return { 'no_list', argument } end
if what == 'in_list' then return { 'ok', set_has(set, item) and 1 or 0 } end
return { 'ok', set_names(set) }
