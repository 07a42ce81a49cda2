-- A connection goes on under another instance. ARGV: id, from, to. Answers {'ok', whether it does, indexed room…}.
local r = record('c', ARGV[1])
if not r or (r.i ~= ARGV[2] and r.i ~= ARGV[3]) then return { 'ok', 0 } end
r.i = ARGV[3]
keep('c', ARGV[1], r)
local out = { 'ok', 1 }
for room in pairs(r.r) do out[#out + 1] = room end
return out
