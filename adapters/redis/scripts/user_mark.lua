-- ARGV: id, life or empty, room, what: joined, gone, cancelled (gone unless joined); epoch and sequence of that in the
-- room's log, or empty. What says `gone` may come late: it does not concern a join that came after it.
local r = record('c', ARGV[1])
if not r or (ARGV[2] ~= '' and r.l ~= tonumber(ARGV[2])) then return { 'ok' } end
local room, what, epoch, sequence = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local joined_at = r.a and r.a[room]
if what == 'joined' then
  r.r[room] = 'j'
  if epoch ~= '' then
    r.a = r.a or {}
    r.a[room] = { epoch, tonumber(sequence) }
  end
elseif what == 'gone' and epoch ~= '' and
  (r.r[room] == 'p' or joined_at and (joined_at[1] ~= epoch or joined_at[2] > tonumber(sequence))) then
  return { 'ok' }
elseif what == 'gone' or r.r[room] == 'p' then
  r.r[room] = nil
  if r.a then r.a[room] = nil end
end
keep('c', ARGV[1], r)
return { 'ok' }
