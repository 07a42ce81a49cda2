-- A connection that is still leaving its rooms counts as online.
if not user_exists() then return { 'no_user' } end
if set_size('N') > 0 or set_size('D') > 0 then return { 'user_online' } end
call('UNLINK', key)
return { 'ok' }
