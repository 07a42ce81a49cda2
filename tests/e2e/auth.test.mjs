// Logins by token and by password, from the outside: tokens are made by Node's crypto, not by ours.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Browser, versions } from './support/browser.mjs'
import { chatError, errorText } from './support/chat_error.mjs'
import { eventually, within } from './support/deadline.mjs'
import { startRoombus } from './support/roombus.mjs'
import { scenario } from './support/scenario.mjs'
import { beforeTheEnd, ended, forgedTokens, p256, p384, pem, rsa, secret, soon, token } from './support/tokens.mjs'

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
const binary = path.resolve(process.env.ROOMBUS_BIN ?? path.join(repository, 'build/debug/bin/roombus'))

const folder = mkdtempSync(path.join(tmpdir(), 'roombus-auth-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a file as a whole: whoever reads it sees the old or the new one. */
function put (name, content) {
  const file = path.join(folder, name)
  writeFileSync(file + '.new', content)
  renameSync(file + '.new', file)
  return file
}

async function rejected (service, options) {
  const browser = new Browser(service, options)
  try {
    const { name, args } = await browser.received.take(i => i.name.startsWith('login'), 'answer to the login')
    assert.equal(name, 'loginRejected')
    await within(browser.closed, 'disconnect after loginRejected')
    return args[0]
  } finally {
    browser.close()
  }
}

/** Where a client can show a token, per version of socket.io. */
function places (version, text) {
  const all = [{ query: { token: text } }, { query: {}, extraHeaders: { authorization: `Bearer ${text}` } }]
  if (version > 2) all.push({ query: {}, auth: { token: text } })
  return all
}

const keys = `[auth.jwt]
secret = "${secret}"
public_key_file = "${put('keys.pem', pem(rsa.publicKey) + pem(p256.publicKey))}"
`

scenario('a token of each kind logs in, wherever it is shown', { dev: false, mqtt: false, config: keys }, async world => {
  for (const alg of ['HS256', 'RS256', 'ES256']) {
    for (const version of versions) {
      for (const place of places(version, token({ sub: `älice ${alg}` }, { alg }))) {
        const browser = new Browser(world.service, { version, ...place })
        world.atEnd(() => browser.close())
        const [user, data] = await browser.notified('loginConfirmed')
        assert.equal(user, `älice ${alg}`)
        assert.ok(data.expiresAt > Date.now() && data.expiresAt < Date.now() + 700000)
        await browser.call('listOwnSockets')
      }
    }
  }
})

scenario('no forged token gets in', { dev: false, mqtt: false, config: keys }, async world => {
  const good = token({ sub: 'alice' })
  const notAllowed = errorText('notAllowed')
  for (const [name, text] of Object.entries(forgedTokens(good))) {
    assert.equal(await rejected(world.service, { query: {}, auth: { token: text } }), notAllowed, name)
  }
  for (const wrong of [7, true, ['x'], { x: 1 }]) {
    assert.equal(await rejected(world.service, { query: {}, auth: { token: wrong } }), notAllowed, JSON.stringify(wrong))
  }
  assert.equal(await rejected(world.service, { query: { user: 'alice' }, auth: { user: 'alice' } }), errorText('noLogin'))
  const browser = await world.browser(undefined, { query: {}, auth: { token: good } })
  await browser.call('listOwnSockets')
  assert.ok(!world.service.output.includes(good.split('.')[1]), 'no token in the log')
  assert.ok(!world.service.output.includes(secret), 'no secret in the log')
})

scenario('names that look alike are different users', { dev: false, mqtt: false, config: keys }, async world => {
  for (const name of ['Alice', 'аlice', 'ａlice', 'alice\u200b', '\u202ealice', 'a\u0301lice']) {
    const browser = new Browser(world.service, { query: {}, auth: { token: token({ sub: name }) } })
    world.atEnd(() => browser.close())
    assert.equal((await browser.notified('loginConfirmed'))[0], name)
    assert.equal(Object.keys(await browser.call('listOwnSockets')).length, 1, name)
  }
})

scenario('audience, issuer and the claim with the name are configured', {
  dev: false,
  mqtt: false,
  config: keys + 'audience = ["roombus"]\nissuer = ["https://id.example.com"]\nuser_claim = "name"\nleeway = 0\n'
}, async world => {
  const good = { name: 'alice', aud: ['other', 'roombus'], iss: 'https://id.example.com' }
  await world.browser(undefined, { query: {}, auth: { token: token(good) } })
  for (const wrong of [{ aud: 'other' }, { aud: undefined }, { iss: 'https://id.example.org' }, { iss: undefined },
    { name: undefined, sub: 'alice' }, { exp: soon(-1) }]) {
    assert.equal(await rejected(world.service, { query: {}, auth: { token: token({ ...good, ...wrong }) } }),
      errorText('notAllowed'), JSON.stringify(wrong))
  }
})

const jwks = (...given) => JSON.stringify({
  keys: given.map(([kid, { publicKey }]) => ({ kid, use: 'sig', ...publicKey.export({ format: 'jwk' }) }))
})
const jwksFile = put('jwks.json', jwks(['one', rsa]))

scenario('keys of a JWK set rotate with the file, at SIGHUP and by themselves', {
  dev: false, mqtt: false, config: `[auth]\nreload_interval = 100\n[auth.jwt]\njwks_file = "${jwksFile}"\n`
}, async world => {
  const by = (kid, alg) => ({ query: {}, auth: { token: token({ sub: 'alice' }, { alg, header: { alg, kid } }) } })
  const logged = text => eventually(() => world.service.output.includes(text), text)
  await world.browser(undefined, by('one', 'RS256'))
  assert.equal(await rejected(world.service, by('two', 'ES256')), errorText('notAllowed'))
  put('jwks.json', jwks(['one', rsa], ['two', p256]))
  await logged('2 keys are valid now')
  await world.browser(undefined, by('one', 'RS256'))
  await world.browser(undefined, by('two', 'ES256'))
  put('jwks.json', '{"keys":[')
  await logged('the keys before stay valid')
  await world.browser(undefined, by('two', 'ES256'))
  put('jwks.json', jwks(['two', p256]))
  process.kill(world.service.pid, 'SIGHUP')
  await logged('1 keys are valid now')
  assert.equal(await rejected(world.service, by('one', 'RS256')), errorText('notAllowed'))
  await world.browser(undefined, by('two', 'ES256'))
})

scenario('a login ends when its token does, unless it is renewed', {
  dev: false, mqtt: false, config: keys + 'leeway = 0\n'
}, async world => {
  const until = soon(600)
  const { exp, prepared: [ending, renewed] } = await beforeTheEnd(async exp => {
    const connect = sub => world.browser(undefined, { query: {}, auth: { token: token({ sub, exp }) } })
    const ending = await connect('alice')
    const renewed = await connect('alice')
    assert.deepEqual(await renewed.call('renewLogin', token({ sub: 'alice', exp: until })), { expiresAt: until * 1000 })
    await assert.rejects(ending.call('renewLogin', token({ sub: 'bob' })), chatError('notAllowed'))
    await assert.rejects(ending.call('renewLogin', token({ sub: 'alice' }, { key: 'x'.repeat(32) })), chatError('notAllowed'))
    await assert.rejects(ending.call('renewLogin', token({ sub: 'alice', roombus: { join: [] } })), chatError('notAllowed'))
    await assert.rejects(ending.call('renewLogin'), chatError('wrongArgumentsCount', 1, 0))
    await assert.rejects(ending.call('renewLogin', 7), chatError('badArgument', 0, 7))
    return [ending, renewed]
  })
  await ended(exp)
  const [error] = await ending.notified('loginRejected')
  assert.equal(error, errorText('loginExpired'))
  await within(ending.closed, 'end of the connection')
  const left = await eventually(async () => {
    const sockets = await renewed.call('listOwnSockets')
    return !(ending.id in sockets) && sockets
  }, 'the expired connection is gone')
  assert.ok(renewed.id in left)
})

scenario('a token may limit the rooms', {
  dev: false, mqtt: false, config: keys + '[[room]]\nname = "open"\n[[room]]\nname = "other"\n'
}, async world => {
  const limited = await world.browser(undefined, {
    query: {}, auth: { token: token({ sub: 'alice', roombus: { join: ['open'], publish: [] } }) }
  })
  assert.equal(await limited.call('roomJoin', 'open'), 1)
  for (const [command, ...args] of [['roomJoin', 'other'], ['roomMessage', 'open', { a: 1 }], ['roomGetOwner', 'other'],
    ['roomRecentHistory', 'other']]) {
    await assert.rejects(limited.call(command, ...args), chatError('notAllowed'), command)
  }
})

const hashOf = (user, password, scheme) => execFileSync(binary, ['hash-password', '--user', user, '--scheme', scheme],
  { input: password + '\n', encoding: 'utf8' })
const passwords = put('passwords', '# users\n' + hashOf('alice', 'right: pässword', 'argon2id') + hashOf('bob', 'other', 'scrypt'))
const passwordFile = `[auth.password]\nfile = "${passwords}"\n`
const basic = (user, password) => ({ query: {}, extraHeaders: { authorization: 'Basic ' + Buffer.from(`${user}:${password}`).toString('base64') } })

scenario('passwords log in by auth payload and by HTTP Basic', { dev: false, mqtt: false, config: passwordFile }, async world => {
  for (const version of versions) {
    await world.browser(undefined, { version, ...basic('alice', 'right: pässword') })
    await world.browser(undefined, { version, ...basic('bob', 'other') })
    if (version > 2) await world.browser(undefined, { version, query: {}, auth: { user: 'alice', password: 'right: pässword' } })
  }
  const wrong = [basic('alice', 'wrong'), basic('mallory', 'other'), basic('alice', 'other'), basic('Alice', 'right: pässword'),
    { query: {}, auth: { user: 'alice', password: 7 } }, { query: {}, auth: { password: 'other' } }]
  for (const given of wrong) assert.equal(await rejected(world.service, given), errorText('notAllowed'))
  // never from the query, which ends up in logs
  assert.equal(await rejected(world.service, { query: { user: 'bob', password: 'other' } }), errorText('noLogin'))
  assert.ok(!world.service.output.includes('right: p'))
})

scenario('failures of an address are limited', { dev: false, mqtt: false, config: passwordFile }, async world => {
  const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => rejected(world.service, basic('alice', `guess ${i}`))))
  const wrong = answers.filter(text => text === errorText('notAllowed')).length
  assert.ok(wrong >= 10 && wrong <= 12, `${wrong} guesses were checked`) // two threads may be at it when the tenth fails
  assert.equal(answers.filter(text => text === errorText('rateLimited')).length, 30 - wrong)
  assert.equal(await rejected(world.service, basic('alice', 'right: pässword')), errorText('rateLimited'))
})

scenario('what is shown decides who is asked, the development login last', {
  mqtt: false, config: keys + passwordFile
}, async world => {
  const user = async options => {
    const browser = new Browser(world.service, options)
    world.atEnd(() => browser.close())
    return (await browser.notified('loginConfirmed'))[0]
  }
  assert.equal(await user({ query: { user: 'dev' }, auth: { token: token({ sub: 'carol' }) } }), 'carol')
  assert.equal(await user({ query: { user: 'dev' }, auth: { user: 'bob', password: 'other' } }), 'bob')
  assert.equal(await user({ query: { user: 'dev' } }), 'dev')
  assert.equal(await rejected(world.service, { query: { user: 'dev' }, auth: { token: 'x' } }), errorText('notAllowed'))
  assert.equal(await rejected(world.service, { query: { user: 'dev' }, auth: { user: 'bob', password: 'x' } }), errorText('notAllowed'))
})

scenario('roombus token makes tokens that are taken', { dev: false, mqtt: false, config: keys }, async world => {
  const make = (...args) => execFileSync(binary, ['token', '--user', 'alice', ...args], { encoding: 'utf8' }).trim()
  const pkcs8 = key => key.export({ type: 'pkcs8', format: 'pem' })
  for (const args of [['--secret-file', put('secret', secret + '\n')], ['--key', put('rsa.pem', pkcs8(rsa.privateKey))],
    ['--key', put('ec.pem', pkcs8(p256.privateKey)), '--alg', 'ES256', '--ttl', '60']]) {
    await world.browser(undefined, { query: {}, auth: { token: make(...args) } })
  }
})

test('a start with bad keys fails and says why', async () => {
  const bad = {
    'auth.jwt.secret': '[auth.jwt]\nsecret = "short"\n',
    'private key': `[auth.jwt]\npublic_key_file = "${put('private.pem', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }))}"\n`,
    'P-256': `[auth.jwt]\npublic_key_file = "${put('p384.pem', pem(p384.publicKey))}"\n`,
    'must not be used as a secret': `[auth.jwt]\nsecret_file = "${put('public.pem', pem(rsa.publicKey))}"\n`,
    'missing.json': `[auth.jwt]\njwks_file = "${path.join(folder, 'missing.json')}"\n`,
    'line 1': `[auth.password]\nfile = "${put('plain', 'alice:secret\n')}"\n`
  }
  for (const [text, config] of Object.entries(bad)) {
    await assert.rejects(startRoombus({ dev: false, mqtt: false, config }), error => {
      assert.match(error.message, /ended before it was ready/)
      assert.ok(error.message.includes(text), `${text}: ${error.message}`)
      return true
    })
  }
})
