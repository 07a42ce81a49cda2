-- ARGV: whitelist only.
if not user_exists() then return { 'no_user' } end
call('HSET', key, 'wo', ARGV[1])
return { 'ok' }
