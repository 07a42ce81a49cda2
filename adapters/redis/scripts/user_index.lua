-- Notes a join that begins. ARGV: id, room. Answers {'ok', life}.
local r = record('c', ARGV[1])
if not r then return { 'invalid_socket', ARGV[1] } end
if not r.r[ARGV[2]] then
  r.r[ARGV[2]] = 'p'
  keep('c', ARGV[1], r)
end
return { 'ok', r.l }
