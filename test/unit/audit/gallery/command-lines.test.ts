/** A handful of the gallery by the real command lines: one line on standard error, exit code 1. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { groups } from './cases.ts'
import type { Case } from './changes.ts'
import { kinds } from './samples.ts'
import { hasPython, type Subject, type WrittenSubject, writeSubject } from './verifiers.ts'

const root = join(import.meta.dirname, '../../../..')
const folder = mkdtempSync(join(tmpdir(), 'dossier-command-'))
afterAll(() => rmSync(folder, { recursive: true }))

const chosen: readonly string[] = [
  'entry edited: access.who.name',
  'truncated tail of a log that another one follows',
  'known checkpoint of a fork of the same size',
  'known checkpoint that nobody signed',
  'the log named as its own witness',
  'inclusion path reordered',
  'redaction of another index',
  'chain gap',
  'log of the list left out of the file',
  'CSV cell edited: outcome',
  'proof file that was changed',
  'tile bit flipped',
  'duplicate member in an entry, the false one first',
  'UTF-16 BE, tlog-proof',
]
const cases = groups.flatMap(([, all]) => all.filter(({ name }) => chosen.includes(name)))

interface Run {
  readonly code: number
  readonly out: readonly string[]
  readonly err: readonly string[]
}

const run = (command: string, args: readonly string[]): Promise<Run> =>
  new Promise((done) => {
    const child = execFile(command, args, { cwd: root }, (_, out, err) => {
      const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')
      done({ code: child.exitCode ?? -1, out: lines(out), err: lines(err) })
    })
  })

const options = ({ command, target, proof, policy, known }: WrittenSubject): string[] => [
  command,
  target,
  ...(proof === undefined ? [] : ['--proof', proof]),
  ...(policy === undefined ? [] : ['--policy', policy]),
  ...known.flatMap((path) => ['--known', path]),
]

const fileOf = (
  written: WrittenSubject,
  source: 'proof' | 'policy' | number | undefined,
): string | undefined =>
  typeof source === 'number' ? written.known[source] : source === undefined ? written.target : written[source]

test('the handful is in the gallery', () => {
  expect(new Set(cases.map(({ name }) => name))).toEqual(new Set(chosen))
})

describe.each([
  ['dossier audit', true, process.execPath, ['src/cli/main.ts', 'audit']],
  ['dossier_verify.py', hasPython, 'python3', ['verifier/dossier_verify.py']],
] as const)('%s', (language, isThere, command, first) => {
  const ask = async (name: string, subject: Subject): Promise<{ run: Run; written: WrittenSubject }> => {
    const written = writeSubject(join(folder, `${language} ${name}`.replaceAll(/\W+/g, '-')), subject)
    return { run: await run(command, [...first, ...options(written)]), written }
  }

  test.skipIf(!isThere).each(Object.entries(kinds))('verifies the untampered %s', async (name, subject) => {
    const { code, out, err } = (await ask(name, subject)).run
    expect({ code, err }).toEqual({ code: 0, err: [] })
    expect(out.at(-1)).toMatch(/^verified/)
  })

  const named = cases.map((one) => [one.kind, one.name, one] as const)
  test.skipIf(!isThere).each(named)('%s: %s', async (kind, name, { subject, expected }: Case) => {
    const { run: said, written } = await ask(`${kind} ${name}`, subject)
    if (expected === 'verified') {
      expect(said).toMatchObject({ code: 0, err: [] })
      return
    }
    const [code, place, source] = expected
    expect(said).toMatchObject({ code: 1, out: [], err: [expect.any(String)] })
    const begins = `${fileOf(written, source)}: ${code}: ${place}: `
    expect(said.err[0]?.slice(0, begins.length)).toBe(begins)
    expect(said.err[0]?.slice(begins.length)).toMatch(/^\S.{9,}/)
  })
})
