-- ARGV: what (exists, list, in_list, mode), list, item.
local what = ARGV[1]
if what == 'exists' then return { 'ok', user_exists() and 1 or 0 } end
if not user_exists() then return { 'no_user' } end
if what == 'mode' then return { 'ok', get('wo') } end
local set = lists[ARGV[2]]
if not set then return { 'no_list', ARGV[2] } end
if what == 'in_list' then return { 'ok', set_has(set, ARGV[3]) and 1 or 0 } end
return { 'ok', set_names(set) }
