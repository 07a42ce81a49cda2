// What still runs when the tests of a file are over, because one of them failed or ran out of time: it would keep the
// process of the tests from ending, and a failure would look like a hang. Every test still ends what it starts (ending.mjs).

const running = new Map()
let over = false

function endAll () {
  for (const end of running.values()) end()
  running.clear()
}

/** Remembers how to end `thing` at once, without waiting, until it is `gone`. Answers `thing`. */
export function watched (thing, end) {
  if (over) end()
  else running.set(thing, end)
  return thing
}

export function gone (thing) {
  running.delete(thing)
}

/** A child process, until it exits. */
export function watchedChild (child, end = () => child.kill('SIGKILL')) {
  child.once('exit', () => gone(child))
  return watched(child, end)
}

process.on('exit', endAll)
// other programs use these helpers, too, and importing node:test would make tests of them
if (process.env.NODE_TEST_CONTEXT) {
  const { after } = await import('node:test')
  after(() => {
    over = true
    endAll()
  })
}
