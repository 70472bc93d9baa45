/**
 * `npm test`: format, lint, types, dead code, then every test. The last line is `N passed, N failed[, N skipped]`; the
 * exit code is 0 only when nothing failed. Arguments go to vitest (`npm test -- --project unit`).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const bin = join(root, 'node_modules/.bin')
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
const run = (command: string, args: readonly string[]): boolean =>
  spawnSync(join(bin, command), args, { cwd: root, env, stdio: 'inherit' }).status === 0

const checks: readonly (readonly [string, string, readonly string[]])[] = [
  ['format and lint', 'biome', ['check', '.']],
  ['types', 'tsc', ['--noEmit']],
  ['dead code', 'knip', []],
  ...['records', 'local', 'audit'].map(
    (name) =>
      [
        `migrations of ${name}`,
        'drizzle-kit',
        ['check', '--dialect', 'sqlite', '--out', `drizzle/${name}`],
      ] as const,
  ),
]

let passed = 0
let failed = 0
let skipped = 0
for (const [name, command, args] of checks) {
  const ok = run(command, args)
  console.log(`${ok ? 'ok' : 'FAILED'}: ${name}`)
  if (ok) passed++
  else failed++
}

const folder = mkdtempSync(join(tmpdir(), 'dossier-test-'))
const report = join(folder, 'report.json')
const ran = run('vitest', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
])
try {
  const result = JSON.parse(readFileSync(report, 'utf8')) as Record<
    'numPassedTests' | 'numFailedTests' | 'numPendingTests',
    number
  >
  passed += result.numPassedTests
  failed += result.numFailedTests
  skipped = result.numPendingTests
} catch {
  failed++
}
// A suite that could not start, or an error outside a test, fails the run though no test did.
if (!ran && failed === 0) failed++
rmSync(folder, { recursive: true, force: true })
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
