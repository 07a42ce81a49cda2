-- ARGV: whitelist only, how many are whitelisted, whitelist, blacklist.
if user_exists() then return { 'user_exists' } end
create_user(ARGV[1])
local white = tonumber(ARGV[2])
for i = 3, #ARGV do set_add(i < 3 + white and 'W' or 'B', ARGV[i]) end
return { 'ok' }
