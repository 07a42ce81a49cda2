-- ARGV: user, bypass, whitelist only, now.
if not room_exists() then return { 'no_room' } end
if ARGV[2] ~= '1' and not is_admin(ARGV[1]) then return { 'not_allowed' } end
if log_is_full() then return { 'unavailable' } end
call('HSET', key, 'wo', ARGV[3])
return access_change(4, '', tonumber(ARGV[3]), {}, set_names('M'), ARGV[4])
