-- The end of a connection is finished. ARGV: id, life.
local dead = record('d', ARGV[1])
if dead and dead.l == tonumber(ARGV[2]) then
  set_remove('D', ARGV[1])
  call('HDEL', key, 'd:' .. ARGV[1])
end
return { 'ok' }
