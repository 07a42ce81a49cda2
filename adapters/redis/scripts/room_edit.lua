-- ARGV: user, bypass, list, add, limit, now, then the names, each once.
if not room_exists() then return { 'no_room' } end
local user, list, adds, limit = ARGV[1], ARGV[3], ARGV[4] == '1', tonumber(ARGV[5])
if list == 'userlist' then return { 'not_allowed' } end
if ARGV[2] ~= '1' and not is_owner(user) then
  if list == 'adminlist' or not is_admin(user) then return { 'not_allowed' } end
  local owner = get('o')
  for i = 7, #ARGV do
    if ARGV[i] == owner then return { 'not_allowed' } end
  end
end
local set = lists[list]
if not set then return { 'no_list', list } end

local names = {}
for i = 7, #ARGV do
  if set_has(set, ARGV[i]) ~= adds then names[#names + 1] = ARGV[i] end
end
if adds and set_size(set) + #names > limit then return { 'list_limit_exceeded', list } end
if #names > 0 and log_is_full() then return { 'unavailable' } end
for _, name in ipairs(names) do
  if adds then set_add(set, name) else set_remove(set, name) end
end
return access_change(3, list, adds and 1 or 0, names, names, ARGV[6])
