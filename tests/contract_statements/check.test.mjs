// The check of the statements notices what it is there for.

import assert from 'node:assert/strict'
import test from 'node:test'
import { idsIn, idsInCpp, idsInTitles, problems, readSources, readStatements } from './check.mjs'

test('a test that is disabled, skipped or commented out names nothing', () => {
  assert.deepEqual(idsInCpp('proves("0.1");\nTEST_F(a, b) {\n  proves("7.1", "7.2");\n}\nTEST(c, d) { proves("8.1"); }\n'), ['7.1', '7.2', '8.1'])
  assert.deepEqual(idsInCpp('TEST_F(a, DISABLED_b) {\n  proves("7.1");\n}\n'), [])
  assert.deepEqual(idsInCpp('TEST_F(a, b) {\n  GTEST_SKIP();\n  proves("7.1");\n}\n'), [])
  assert.deepEqual(idsInCpp('TEST_F(a, b) {\n  // proves("7.1");\n}\n'), [])
  assert.deepEqual(idsInTitles("scenario('7.1 8.2 both', {}, f)\ntest(`7.3 over MQTT: one`, f)\n"), { http: ['7.1', '8.2'], mqtt: ['7.3'] })
  assert.deepEqual(idsInTitles("test('7.1 x', { skip: true }, f)\n// test('7.2 x', f)\ntest('about 7.3', f)\n"), { http: [], mqtt: [] })
})

test('what is missing, unknown, doubled or needlessly excused is told', () => {
  const table = [{ id: '7.1', says: 'a' }, { id: '7.2', says: 'b', http: 'no way' }, { id: '7.3', says: 'c', mqtt: true }]
  const all = { inProcess: ['7.1', '7.2', '7.3'], http: ['7.1', '7.3'], mqtt: ['7.3'] }
  assert.deepEqual(problems(table, all), [])
  assert.equal(problems(table, { ...all, inProcess: ['7.1', '7.3'] }).length, 1)
  assert.equal(problems(table, { ...all, http: ['7.1'] }).length, 1)
  assert.equal(problems(table, { ...all, mqtt: [] }).length, 1)
  assert.equal(problems(table, { ...all, http: [...all.http, '7.2'] }).length, 1)
  assert.equal(problems(table, { ...all, http: [...all.http, '7.9'] }).length, 1)
  assert.equal(problems([...table, table[0]], all).length, 1)
})

test('each statement is missed when no test names it any more', () => {
  const statements = readStatements()
  const sources = readSources()
  assert.deepEqual(problems(statements, idsIn(sources)), [])
  for (const { id, says, inProcess, http, mqtt } of statements) {
    const without = texts => Object.fromEntries(Object.entries(texts)
      .map(([file, text]) => [file, text.replaceAll(new RegExp(`(?<![\\d.])${id.replace('.', '\\.')}(?!\\d)`, 'g'), '0.0')]))
    const missed = problems(statements, idsIn({ cpp: without(sources.cpp), mjs: without(sources.mjs) }))
      .filter(line => line.startsWith(`${id} (`))
    const wanted = [inProcess === undefined, http === undefined, mqtt === true].filter(Boolean).length
    assert.equal(missed.length, wanted, `${id} (${says}): ${missed}`)
  }
})
