-- Whether somebody may write to this user. ARGV: own name, sender. Answers {'ok', allowed, online}.
if not user_exists() then return { 'no_user' } end
local sender = ARGV[2]
local allowed = sender ~= ARGV[1] and not set_has('B', sender) and (get('wo') ~= '1' or set_has('W', sender))
return { 'ok', allowed and 1 or 0, set_size('N') > 0 and 1 or 0 }
