-- ARGV: id. Answers {'ok', instance or empty, instance of one that is still leaving or empty}.
local r, dead = record('c', ARGV[1]), record('d', ARGV[1])
return { 'ok', r and r.i or '', dead and dead.i or '' }
