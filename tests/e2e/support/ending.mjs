// What a test starts ends with it, whatever happened: what goes on would keep the test's process from ending.

/** Things to do at the end, the last first. */
export class Endings {
  #actions = []

  /** Remembers `action(thing)`, and answers `thing`. */
  add (thing, action) {
    this.#actions.push(() => action(thing))
    return thing
  }

  /** Does all of them, whatever one of them does; then throws the first error. */
  async run () {
    const errors = []
    while (this.#actions.length) {
      try {
        await this.#actions.pop()()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length) throw errors[0]
  }
}

/**
 * Runs `body(ends)`, and at the end `ends`. `ends(thing, action)` remembers `action(thing)` and answers `thing`, so
 * everything is remembered in the line that starts it. An error of the body goes before one of the end.
 */
export async function ending (body) {
  const endings = new Endings()
  let result
  try {
    result = await body((thing, action) => endings.add(thing, action))
  } catch (error) {
    await endings.run().catch(other => { error.message += `\nand at the end: ${other.message}` })
    throw error
  }
  await endings.run()
  return result
}
