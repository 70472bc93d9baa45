/**
 * `npm test`: format, lint, types, dead code, then every test. The last line is `N passed, N failed[, N skipped]`; the
 * exit code is 0 only when nothing failed. Arguments go to vitest (`npm test -- --project unit`).
 *
 * Tests of a cluster wait most of their time, for deadlines, disks and each other's processes: where all is run, they run one
 * after the other beside the rest, which computes.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const bin = join(root, 'node_modules/.bin')
const env = {
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH}`,
  ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}),
}

/** Through pipes: two that draw on one terminal would overwrite each other. */
const run = (command: string, args: readonly string[]): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(join(bin, command), args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', (text) => process.stdout.write(text))
    child.stderr.on('data', (text) => process.stderr.write(text))
    child.on('error', () => resolve(false))
    child.on('close', (code) => resolve(code === 0))
  })

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

async function check(): Promise<void> {
  for (const [name, command, args] of checks) {
    const ok = await run(command, args)
    console.log(`${ok ? 'ok' : 'FAILED'}: ${name}`)
    if (ok) passed++
    else failed++
  }
}

/** @param args of vitest */
async function test(args: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dossier-test-'))
  const report = join(folder, 'report.json')
  const ran = await run('vitest', [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args,
  ])
  let hasFailed = false
  try {
    const result = JSON.parse(readFileSync(report, 'utf8')) as Record<
      'numPassedTests' | 'numFailedTests' | 'numPendingTests',
      number
    >
    passed += result.numPassedTests
    failed += result.numFailedTests
    skipped += result.numPendingTests
    hasFailed = result.numFailedTests > 0
  } catch {
    failed++
    hasFailed = true
  }
  // A suite that could not start, or an error outside a test, fails the run though no test did.
  if (!ran && !hasFailed) failed++
  rmSync(folder, { recursive: true, force: true })
}

const asked = process.argv.slice(2)
const isAll = asked.length === 0
const beside = isAll ? test(['--project', 'cluster']) : null
await check()
await test(isAll ? ['--project', 'unit', '--project', 'worker'] : asked)
await beside
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
