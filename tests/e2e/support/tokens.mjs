// Tokens as issuers make them, by Node's crypto and not by ours, and tokens that no honest issuer would make.

import crypto from 'node:crypto'

const LONGEST_S = 20

export const secret = 'a secret of more than thirty-two bytes'
export const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
export const p256 = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const p384 = crypto.generateKeyPairSync('ec', { namedCurve: 'P-384' })
export const pem = key => key.export({ type: 'spki', format: 'pem' })
export const encode = value => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
export const soon = (seconds = 600) => Math.floor(Date.now() / 1000) + seconds

const signers = {
  HS256: (text, key = secret) => crypto.createHmac('sha256', key).update(text).digest(),
  RS256: (text, key = rsa.privateKey) => crypto.sign('sha256', text, key),
  ES256: (text, key = p256.privateKey) => crypto.sign('sha256', text, { key, dsaEncoding: 'ieee-p1363' })
}

/** A token; header and claims may be objects or texts. */
export function token (claims, { alg = 'HS256', header = { alg, typ: 'JWT' }, sign = signers[alg], key } = {}) {
  const text = `${encode(header)}.${encode(typeof claims === 'string' ? claims : { exp: soon(), ...claims })}`
  return `${text}.${sign(Buffer.from(text), key).toString('base64url')}`
}

/** Tokens for alice that must be refused by whoever takes `secret`, `rsa` and `p256`, by what is wrong with them. */
export function forgedTokens (good = token({ sub: 'alice' })) {
  const [header, claims, signature] = good.split('.')
  const none = alg => `${encode({ alg })}.${claims}.`
  const confused = key => token({ sub: 'alice' }, { key })
  const hs256 = { alg: 'HS256' }
  return {
    'alg none': none('none'),
    'alg None': none('None'),
    'alg NONE with a signature': none('NONE') + signature,
    'alg nOnE without the last dot': none('nOnE').slice(0, -1),
    'no signature': `${header}.${claims}.`,
    'RSA public key as HMAC secret': confused(pem(rsa.publicKey)),
    'the same without its last line end': confused(pem(rsa.publicKey).trim()),
    'the file with both keys as HMAC secret': confused(pem(rsa.publicKey) + pem(p256.publicKey)),
    'EC public key as HMAC secret': confused(pem(p256.publicKey)),
    'empty HMAC secret': confused(''),
    'P-384': token({ sub: 'alice' }, { alg: 'ES256', key: p384.privateKey }),
    'DER instead of r and s': token({ sub: 'alice' }, { alg: 'ES256', sign: text => crypto.sign('sha256', text, p256.privateKey) }),
    'r and s zero': token({ sub: 'alice' }, { alg: 'ES256', sign: () => Buffer.alloc(64) }),
    'RSA key for ES256': token({ sub: 'alice' }, { alg: 'ES256', sign: signers.RS256 }),
    PS256: token({ sub: 'alice' }, {
      header: { alg: 'PS256' },
      sign: text => crypto.sign('sha256', text, { key: rsa.privateKey, padding: crypto.constants.RSA_PKCS1_PSS_PADDING })
    }),
    HS512: token({ sub: 'alice' }, { header: { alg: 'HS512' }, sign: text => crypto.createHmac('sha512', secret).update(text).digest() }),
    'RSA key of somebody else': token({ sub: 'alice' }, { alg: 'RS256', key: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }),
    'key in the header': token({ sub: 'alice' }, { header: { ...hs256, jwk: { kty: 'oct', k: encode('x'.repeat(32)) } }, key: 'x'.repeat(32) }),
    'key at a URL': token({ sub: 'alice' }, { header: { ...hs256, jku: 'http://127.0.0.1:1/keys' }, key: 'x'.repeat(32) }),
    'kid as a path': token({ sub: 'alice' }, { header: { ...hs256, kid: '../../../../dev/null' }, key: '' }),
    'kid as SQL': token({ sub: 'alice' }, { header: { ...hs256, kid: "x' UNION SELECT 'k" }, key: 'k' }),
    crit: token({ sub: 'alice' }, { header: { ...hs256, crit: ['b64'], b64: true } }),
    nested: token({ sub: 'alice' }, { header: { ...hs256, cty: 'JWT' } }),
    'token for logout': token({ sub: 'alice' }, { header: { ...hs256, typ: 'logout+jwt' } }),
    expired: token({ sub: 'alice', exp: soon(-60) }),
    'not yet valid': token({ sub: 'alice', nbf: soon(60) }),
    'issued in the future': token({ sub: 'alice', iat: soon(3600) }),
    'without end': token({ sub: 'alice', exp: undefined }),
    'end as text': token({ sub: 'alice', exp: String(soon()) }),
    'for somebody else': token({ sub: 'alice', aud: 'other' }),
    'claims of another token': `${header}.${encode({ sub: 'admin', exp: soon() })}.${signature}`,
    truncated: good.slice(0, -1),
    'without its last part': `${header}.${claims}`,
    padded: `${good}=`,
    'padded in the middle': `${header}=.${claims}.${signature}`,
    'a fourth part': `${good}.x`,
    JWE: 'e30.e30.e30.e30.e30',
    'white space': ` ${good}`,
    quotes: `"${good}"`,
    'alg twice': token({ sub: 'alice' }, { header: '{"alg":"none","alg":"HS256"}' }),
    'sub twice': token(`{"sub":"alice","sub":"admin","exp":${soon()}}`),
    'sub twice, once escaped': token(`{"sub":"alice","\\u0073ub":"admin","exp":${soon()}}`),
    'no user': token({}),
    'user is a number': token({ sub: 7 }),
    'user is a list': token({ sub: ['alice'] }),
    'user is empty': token({ sub: '' }),
    'user with a colon': token({ sub: 'a:b' }),
    'user with NUL': token({ sub: 'alice\0' }),
    'user with a lone surrogate': token(`{"sub":"al\\ud800","exp":${soon()}}`),
    'user too long': token({ sub: 'x'.repeat(257) }),
    'unknown right': token({ sub: 'alice', roombus: { joins: [] } }),
    'nothing of a token': 'x',
    huge: token({ sub: 'alice', more: 'x'.repeat(8192) })
  }
}

/**
 * Does what must be done while a token is valid: `prepare(exp)` makes tokens that end at `exp` (seconds) and answers what
 * the test goes on with. Where the machine is too slow for that, it does it again with more time.
 */
export async function beforeTheEnd (prepare) {
  for (let seconds = 3; ; seconds *= 2) {
    const exp = soon(seconds)
    const inTime = () => Date.now() < exp * 1000
    try {
      const prepared = await prepare(exp)
      if (inTime() || seconds > LONGEST_S) return { exp, prepared }
    } catch (error) {
      if (inTime() || seconds > LONGEST_S) throw error
    }
  }
}

/** Waits for the end of a token, at which things are to happen. */
export const ended = exp => new Promise(resolve => setTimeout(resolve, exp * 1000 - Date.now()))
