// The C++ code in docs/embedding.md is code that is compiled: each block stands, line by line, in the file that the
// comment before it names. Blocks may leave out common indentation and begin and end anywhere.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
const page = await readFile(path.join(root, 'docs/embedding.md'), 'utf8')
const blocks = [...page.matchAll(/(?:<!-- (\S+) -->\n)?```cpp\n([\s\S]*?)```/g)]

const lines = text => text.split('\n').map(line => line.trim()).filter(line => line !== '')

function holds (source, block) {
  return source.some((_, at) => block.every((line, i) => source[at + i] === line))
}

test('docs/embedding.md shows code', () => assert.ok(blocks.length >= 4))

for (const [, file, code] of blocks) {
  test(`code of ${file} in docs/embedding.md: ${lines(code)[0]}`, async () => {
    assert.ok(file, `a block without the comment that names its file:\n${code}`)
    const source = lines(await readFile(path.join(root, file), 'utf8'))
    assert.ok(holds(source, lines(code)), `${file} does not hold this:\n${code}`)
  })
}

test('a block that differs in one character is found out', () => {
  const source = lines('int a;\n  int b;\nint c;\n')
  assert.ok(holds(source, lines('int b;\nint c;')))
  assert.ok(!holds(source, lines('int b;\nint d;')))
  assert.ok(!holds(source, lines('int a;\nint c;')))
})
