-- ARGV: own name, list, add, limit, then the names, each once.
if not user_exists() then return { 'no_user' } end
local set = lists[ARGV[2]]
if not set then return { 'no_list', ARGV[2] } end
local new = 0
for i = 5, #ARGV do
  if ARGV[i] == ARGV[1] then return { 'not_allowed' } end
  if not set_has(set, ARGV[i]) then new = new + 1 end
end
local adds = ARGV[3] == '1'
if adds and set_size(set) + new > tonumber(ARGV[4]) then return { 'list_limit_exceeded', ARGV[2] } end
for i = 5, #ARGV do
  if adds then set_add(set, ARGV[i]) else set_remove(set, ARGV[i]) end
end
return { 'ok' }
