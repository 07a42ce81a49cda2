// The table of a campaign, as Markdown.

export function table (results) {
  const rows = new Map()
  for (const result of results) {
    const key = `${result.layout}\n${result.fault}`
    const row = rows.get(key) ?? { layout: result.layout, fault: result.fault, runs: 0, seconds: 0, faults: 0, acked: 0, received: 0, violations: 0, rules: new Set(), failed: 0, skipped: 0, presenceMs: 0 }
    rows.set(key, row)
    if (result.skipped) { ++row.skipped; continue }
    ++row.runs
    if (result.failed) { ++row.failed; continue }
    row.seconds += result.seconds
    row.faults += result.faults
    row.acked += result.acked
    row.received += result.received
    row.violations += result.violationCount
    row.presenceMs = Math.max(row.presenceMs, result.presenceMs)
    for (const { rule } of result.violations) row.rules.add(rule)
  }
  const lines = ['| layout | fault | runs | load s | faults | acked | received | presence right after, ms at most | violations |', '|---|---|---|---|---|---|---|---|---|']
  for (const row of rows.values()) {
    const notes = [row.failed && `${row.failed} failed`, row.skipped && `${row.skipped} skipped`, row.rules.size && [...row.rules].join(', ')].filter(Boolean)
    lines.push(`| ${row.layout} | ${row.fault} | ${row.runs} | ${row.seconds} | ${row.faults} | ${row.acked} | ${row.received} | ${row.presenceMs} | ${row.violations}${notes.length ? ` (${notes.join('; ')})` : ''} |`)
  }
  return lines.join('\n')
}
