-- ARGV: id, instance, limit, now. Answers {'ok', number of connections}.
if not user_exists() then create_user('0') end
local id = ARGV[1]
local r = record('c', id)
if r then
  r.i = ARGV[2]
else
  if set_size('N') >= tonumber(ARGV[3]) then return { 'rate_limited' } end
  local life = math.max(number('n') + 1, tonumber(ARGV[4]))
  call('HSET', key, 'n', life_text(life))
  r = { l = life, i = ARGV[2], r = {} }
  set_add('N', id)
end
keep('c', id, r)
return { 'ok', set_size('N') }
