// What a test starts ends with it, whatever happened: what goes on would keep the test's process from ending.

/**
 * Runs `body(ends)`, then ends what was started. `ends(thing, action)` remembers `action(thing)` and answers `thing`, so
 * everything is remembered in the line that starts it. All actions run, the last first, whatever one of them does. An
 * error of the body goes before one of the end.
 */
export async function ending (body) {
  const actions = []
  const errors = []
  let result
  try {
    result = await body((thing, action) => {
      actions.push(() => action(thing))
      return thing
    })
  } catch (error) {
    errors.push(error)
  }
  while (actions.length) {
    try {
      await actions.pop()()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length === 0) return result
  const [first, ...others] = errors
  for (const other of others) console.error(`--- and at the end: ${other.stack}`)
  throw first
}
