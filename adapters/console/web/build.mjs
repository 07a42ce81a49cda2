// Bundles the page and packs it for the program.
//
//   node build.mjs --out DIR [--modules DIR] [--embed DIR]
//
// `--out` gets index.html, app.js, app.css and icon.svg. `--modules` is the folder that holds node_modules, here by default.
// `--embed` gets console_bytes.S, which includes the files and their gzip forms byte by byte (the assembler does that at once,
// where a compiler would read megabytes of numbers), and console_files.cpp, the table of them.

import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: { out: { type: 'string' }, modules: { type: 'string', default: here }, embed: { type: 'string' } },
});
if (!options.out) throw new Error('--out DIR is missing');
const out = resolve(options.out);
const modules = resolve(options.modules);
const esbuild = createRequire(join(modules, 'package.json'))('esbuild');

const FILES = [
  ['index.html', '/', 'text/html; charset=utf-8'],
  ['app.js', '/app.js', 'text/javascript; charset=utf-8'],
  ['app.css', '/app.css', 'text/css; charset=utf-8'],
  ['icon.svg', '/icon.svg', 'image/svg+xml'],
];

mkdirSync(out, { recursive: true });
await esbuild.build({
  absWorkingDir: here,
  entryPoints: { app: 'src/main.js' },
  outdir: out,
  bundle: true,
  format: 'esm',
  target: ['es2022', 'safari16'],
  minify: true,
  legalComments: 'eof',
  nodePaths: [join(modules, 'node_modules')],
  logLevel: 'warning',
});
await esbuild.build({ absWorkingDir: here, entryPoints: { app: 'style.css' }, outdir: out, minify: true, logLevel: 'warning' });
for (const name of ['index.html', 'icon.svg']) copyFileSync(join(here, name), join(out, name));

if (options.embed) embed(resolve(options.embed));

function embed(folder) {
  mkdirSync(folder, { recursive: true });
  const assembly = ['  .section .rodata'];
  const declarations = [];
  const rows = [];
  FILES.forEach(([name, path, type], i) => {
    const bytes = readFileSync(join(out, name));
    const gzip = gzipSync(bytes, { level: 9 });
    writeFileSync(join(out, `${name}.gz`), gzip);
    const hash = createHash('sha256').update(bytes).digest('hex');
    for (const [form, file] of [['plain', name], ['gzip', `${name}.gz`]]) {
      const symbol = `roombus_console_${form}_${i}`;
      assembly.push(
        `  /* ${file} ${hash} */`,
        `  .global ${symbol}`,
        `  .global ${symbol}_end`,
        '  .balign 16',
        `${symbol}:`,
        `  .incbin "${join(out, file)}"`,
        `${symbol}_end:`,
        '  .byte 0',
      );
      declarations.push(`extern const char ${symbol}[];`, `extern const char ${symbol}_end[];`);
    }
    const view = (form) => `bytes_between(roombus_console_${form}_${i}, roombus_console_${form}_${i}_end)`;
    rows.push(`      {"${path}", "${type}", ${view('plain')}, ${view('gzip')}, "${hash.slice(0, 20)}"},`);
  });
  assembly.push('  .section .note.GNU-stack,"",%progbits', '');
  writeFileSync(join(folder, 'console_bytes.S'), assembly.join('\n'));
  writeFileSync(
    join(folder, 'console_files.cpp'),
    `// Made by adapters/console/web/build.mjs.
#include "adapters/console/console_site.hpp"

extern "C" {
${declarations.join('\n')}
}

namespace roombus::console {
namespace {

std::string_view bytes_between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::span<const site_file> console_files() {
  static const site_file files[] = {
${rows.join('\n')}
  };
  return files;
}

}  // namespace roombus::console
`,
  );
  const total = FILES.reduce((sum, [name]) => sum + statSync(join(out, `${name}.gz`)).size, 0);
  console.log(`console: ${FILES.length} files, ${Math.round(total / 1000)} kB compressed`);
}
