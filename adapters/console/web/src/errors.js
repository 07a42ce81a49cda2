// Errors of the service in words for people. The service sends either the string form ("ChatServiceError: No such room
// kitchen") or the raw object ({code, args}); both become a ChatError with a code that the page can decide on.

const PATTERNS = [
  ['badArgument', /^Bad argument at position (.*), value (.*)$/s],
  ['invalidName', /^String (.*) contains invalid characters$/s],
  ['listLimitExceeded', /^Exceeded (.*) size limit$/s],
  ['noCommand', /^No such command (.*)$/s],
  ['noList', /^No such list (.*)$/s],
  ['noLogin', /^No login provided$/],
  ['noRoom', /^No such room (.*)$/s],
  ['noUserOnline', /^No such user online (.*)$/s],
  ['noUser', /^No such user (.*)$/s],
  ['notAllowed', /^Action is not allowed$/],
  ['notJoined', /^Not joined to room (.*)$/s],
  ['roomExists', /^Room (.*) already exists$/s],
  ['timeout', /^Server operation timeout$/],
  ['wrongArgumentsCount', /^Expected (.*) arguments, got (.*)$/s],
];

const WORDS = {
  invalidName: (name) => `The name “${name}” cannot be used: it is too long, or has a colon, a brace or a control character.`,
  listLimitExceeded: () => 'That list is full.',
  noLogin: () => 'The server did not accept this name. It may need another way to sign in.',
  noRoom: (room) => `There is no room “${room}”.`,
  noUser: (user) => `There is no user “${user}”.`,
  noUserOnline: (user) => `“${user}” is not here now.`,
  notAllowed: () => 'That is not allowed here.',
  notJoined: (room) => `You are not in the room “${room}”.`,
  roomExists: (room) => `The room “${room}” exists already.`,
  timeout: () => 'The server did not answer in time.',
  rateLimited: () => 'Too many requests. Wait a moment.',
  payloadTooLarge: () => 'That is too large to send.',
  unavailable: () => 'The service cannot do that just now. Nothing was lost; try again.',
  badArgument: () => 'The server does not accept this message.',
  noCommand: () => 'This server cannot do that.',
  disconnected: () => 'The connection was lost.',
};

export class ChatError extends Error {
  constructor(code, args = [], text = code) {
    super(text);
    this.name = 'ChatError';
    this.code = code;
    this.args = args;
  }

  /// Whether the command may have been carried out although no answer came.
  get outcomeUnknown() {
    return this.code === 'timeout' || this.code === 'disconnected';
  }

  /// Whether the same request may succeed later without anybody changing anything.
  get passing() {
    return this.outcomeUnknown || this.code === 'unavailable' || this.code === 'rateLimited';
  }
}

/// What the service (or the client library) gave as error, as a ChatError.
export function toChatError(error) {
  if (error instanceof ChatError) return error;
  if (error && typeof error === 'object' && typeof error.code === 'string') {
    const args = Array.isArray(error.args) ? error.args.map(String) : [];
    return new ChatError(error.code, args, error.text ?? error.code);
  }
  const text = String(error?.message ?? error).replace(/^ChatServiceError: /, '');
  for (const [code, pattern] of PATTERNS) {
    const match = pattern.exec(text);
    if (match) return new ChatError(code, match.slice(1), text);
  }
  return new ChatError(Object.hasOwn(WORDS, text) ? text : 'internalError', [], text);
}

/// A sentence for people; what the page has no words for is shown as the service said it.
export function inWords(error) {
  const e = toChatError(error);
  return Object.hasOwn(WORDS, e.code) ? WORDS[e.code](...e.args) : e.message || 'Something went wrong.';
}
