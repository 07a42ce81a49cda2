-- Goes before every script about instances. One hash names their lives: incarnation -> "<ms> <beats>", and of one that
-- was taken for dead "<ms> <beats> <until when it is being recovered> <by whom>". (Fields without a blank are those of
-- instances that are alone.)

-- {beat, until, by} or nil
local function life(incarnation)
  local kept = get(incarnation)
  if not kept then return nil end
  local beat, till, by = string.match(kept, '^(%S+ %S+) (%S+) (.*)$')
  if beat then return { beat, tonumber(till), by } end
  return { kept }
end
