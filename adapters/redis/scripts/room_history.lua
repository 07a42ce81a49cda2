-- ARGV: user, bypass, kind (none, recent, after), after, limit, epoch.
if not room_exists() then return { 'no_room' } end
if not may_read(ARGV[1], ARGV[2]) then return { 'not_joined' } end
return { 'ok', history(ARGV[3], ARGV[4], ARGV[5], ARGV[6]) }
