// The errors of the service as clients see them, and their texts, written down here a second time on purpose.

const texts = {
  badArgument: 'Bad argument at position %d, value %j',
  internalError: '%s',
  invalidName: 'String %s contains invalid characters',
  invalidSocket: 'Socket %s is not connected',
  noCommand: 'No such command %s',
  listLimitExceeded: 'Exceeded %s size limit',
  noList: 'No such list %s',
  noLogin: 'No login provided',
  noRoom: 'No such room %s',
  noSocket: 'Command %s requires a valid socket',
  noUser: 'No such user %s',
  noUserOnline: 'No such user online %s',
  notAllowed: 'Action is not allowed',
  notJoined: 'Not joined to room %s',
  roomExists: 'Room %s already exists',
  timeout: 'Server operation timeout',
  userExists: 'User %s already exists',
  userOnline: 'User %s is online',
  wrongArgumentsCount: 'Expected %s arguments, got %s'
}

/** The string form of an error. */
export function errorText (code, args = []) {
  const rest = [...args]
  const text = (texts[code] ?? code).replace(/%[sdj]/g, kind => {
    const value = rest.shift()
    return kind === '%j' ? JSON.stringify(value) : String(value)
  })
  return `ChatServiceError: ${text}`
}

/**
 * What a call is rejected with; the message is the string form. `code` and `args` are missing where the wire carries the
 * string form only, `text` (MQTT) is the text without what the string form puts before it.
 */
export class ChatError extends Error {
  constructor (wire) {
    super(typeof wire === 'string' ? wire : wire.text ? `ChatServiceError: ${wire.text}` : errorText(wire.code, wire.args))
    this.name = 'ChatError'
    this.wire = wire
    if (typeof wire !== 'string') {
      this.code = wire.code
      this.args = wire.args
    }
  }
}

/** For assert.rejects: the error `code` with these arguments, in whichever form it came. */
export function chatError (code, ...args) {
  return error => {
    const wanted = errorText(code, args)
    if (!(error instanceof ChatError) || error.message !== wanted) {
      throw new Error(`expected "${wanted}", got "${error?.message ?? error}"`, { cause: error })
    }
    if (error.code !== undefined && (error.code !== code || JSON.stringify(error.args) !== JSON.stringify(args))) {
      throw new Error(`expected ${code} ${JSON.stringify(args)}, got ${error.code} ${JSON.stringify(error.args)}`)
    }
    return true
  }
}
