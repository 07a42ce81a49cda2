-- ARGV: user, bypass, kind (none, recent, after), after, limit, epoch, whether a replica must have what is shown.
if not room_exists() then return { 'no_room' } end
if not may_read(ARGV[1], ARGV[2]) then return { 'not_joined' } end
if ARGV[7] == '1' then call('HSET', key, 'l', get('l')) end -- WAIT covers what is before a write, not before a read
return { 'ok', history(ARGV[3], ARGV[4], ARGV[5], ARGV[6]) }
