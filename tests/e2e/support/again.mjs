// Requests to a service that is not always there: while a device changes hands, or its broker or its instance comes back,
// they may stay unanswered, or be told to come again.

import { DEADLINE_MS } from './deadline.mjs'

const PATIENCE_MS = 300
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/**
 * Calls a device's command again until somebody answers with a result, or with an error that is none of `transient`.
 * Answers {result, ms}: how long that took.
 */
export async function callAgain (device, command, args = [], { transient = ['unavailable'], ms = DEADLINE_MS } = {}) {
  const begin = Date.now()
  const answers = []
  const answered = () => answers.length > 0
  const note = answer => answers.push(answer)
  let last
  while (!answered()) {
    if (Date.now() > begin + ms) throw new Error(`nobody answered ${command} of ${device.id} within ${ms} ms; the last: ${last?.message}`)
    const attempt = device.call(command, ...args).then(result => note({ result }), async error => {
      last = error
      if (error.code !== undefined && !transient.includes(error.code)) note({ error })
      else await pause(PATIENCE_MS)
    })
    await Promise.race([attempt, pause(PATIENCE_MS)])
  }
  if (answers[0].error) throw answers[0].error
  return { result: answers[0].result, ms: Date.now() - begin }
}
