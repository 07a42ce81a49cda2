// Says which statements of the contract no test names. Run by ctest; `node check.mjs` prints what is missing.
//
// A test of the program in process names what it proves with `proves("7.2", "8.4")` in its body (tests/support/proves.hpp).
// A test over HTTP begins its title with the ids, "7.2 8.4 what is seen"; over MQTT, "7.2 over MQTT: what is seen".

import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
const tests = path.dirname(here)

/** How a statement can be proved, and the field of statements.json that says why it is not proved so. */
export const forms = ['inProcess', 'http', 'mqtt']

/** Text without its // comments, so that a test that was commented out proves nothing. */
const withoutComments = text => text.replace(/^\s*\/\/.*$/gm, '')

/** Ids that the tests of one C++ file name: those of `proves(…)` inside of tests that are not disabled. */
export function idsInCpp (text) {
  const ids = []
  const bodies = withoutComments(text).split(/^(?=TEST(?:_F|_P)?\()/m).slice(1)
  for (const body of bodies) {
    if (/^TEST(?:_F|_P)?\([^)]*\bDISABLED_/.test(body) || /\bGTEST_SKIP\b/.test(body)) continue
    for (const [, list] of body.matchAll(/\bproves\(([^)]*)\)/g)) ids.push(...[...list.matchAll(/"([^"]*)"/g)].map(m => m[1]))
  }
  return ids
}

/** Ids in the titles of one file of node:test, as {http, mqtt}. Skipped tests have none. */
export function idsInTitles (text) {
  const found = { http: [], mqtt: [] }
  const titles = /^\s*(?:await )?(?:t\.)?(?:test|scenario|hooked|worked|withRedis)\(\s*(['"`])((?:\d+\.\d+ )+)(over MQTT:)?([^\n]*)/gm
  for (const [, , ids, overMqtt, rest] of withoutComments(text).matchAll(titles)) {
    if (/\b(?:skip|todo):/.test(rest)) continue
    found[overMqtt ? 'mqtt' : 'http'].push(...ids.trim().split(' '))
  }
  return found
}

/**
 * What is wrong, as lines. `statements` as in statements.json, `named` is {inProcess, http, mqtt}, each a list of ids.
 */
export function problems (statements, named) {
  const out = []
  const known = new Map()
  for (const statement of statements) {
    if (known.has(statement.id)) out.push(`${statement.id} is in the table twice`)
    known.set(statement.id, statement)
  }
  for (const form of forms) {
    const has = new Set(named[form])
    for (const id of has) if (!known.has(id)) out.push(`a test (${form}) names ${id}, which is not in the table`)
    for (const { id, says, [form]: reason } of statements) {
      const wanted = form === 'mqtt' ? reason === true : reason === undefined
      if (wanted && !has.has(id)) out.push(`${id} (${says}) has no test of the form ${form}`)
      if (form !== 'mqtt' && reason !== undefined && has.has(id)) out.push(`${id} has a test of the form ${form}: its excuse can go`)
    }
  }
  return out
}

function * filesBelow (folder, suffix) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const where = path.join(folder, entry.name)
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules') yield * filesBelow(where, suffix)
    } else if (entry.name.endsWith(suffix)) {
      yield where
    }
  }
}

/** The sources of all tests, as {cpp: {file: text}, mjs: {file: text}}. A C++ file that CMake does not build is left out. */
export function readSources () {
  const sources = { cpp: {}, mjs: {} }
  for (const file of filesBelow(tests, '_test.cpp')) {
    const build = readFileSync(path.join(path.dirname(file), 'CMakeLists.txt'), 'utf8')
    if (build.includes(path.basename(file))) sources.cpp[path.relative(tests, file)] = readFileSync(file, 'utf8')
  }
  for (const file of filesBelow(path.join(tests, 'e2e'), '.test.mjs')) sources.mjs[path.relative(tests, file)] = readFileSync(file, 'utf8')
  return sources
}

export function idsIn (sources) {
  const named = { inProcess: Object.values(sources.cpp).flatMap(idsInCpp), http: [], mqtt: [] }
  for (const text of Object.values(sources.mjs)) {
    const { http, mqtt } = idsInTitles(text)
    named.http.push(...http)
    named.mqtt.push(...mqtt)
  }
  return named
}

export const readStatements = () => JSON.parse(readFileSync(path.join(here, 'statements.json'), 'utf8')).statements

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const statements = readStatements()
  const named = idsIn(readSources())
  const found = problems(statements, named)
  for (const line of found) console.error(line)
  const count = form => new Set(named[form]).size
  console.log(`${statements.length} statements; named by tests in process: ${count('inProcess')}, over HTTP: ${count('http')}, over MQTT: ${count('mqtt')}`)
  process.exitCode = found.length ? 1 : 0
}
