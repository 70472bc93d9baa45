import { execFile, spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const runs = (command: string, argument: string): boolean => spawnSync(command, [argument]).status === 0

/** What unittest says; it says it on standard error, and ends in OK only when every test passed. */
const report = (): Promise<string> =>
  new Promise((told) => {
    const tests = ['-m', 'unittest', 'discover', '-s', 'verifier/tests']
    execFile('python3', tests, { cwd: resolve(import.meta.dirname, '../..') }, (_, out, err) => {
      told(out + err)
    })
  })

/** The second verifier has tests of its own, with its own sample logs: nothing is shared with the first one. */
test.skipIf(!runs('python3', '--version') || !runs('openssl', 'version'))(
  'the verifier in Python passes its own tests',
  { timeout: 300_000 },
  async () => {
    expect(await report()).toMatch(/\nRan [1-9]\d+ tests in .*\n\nOK( \(skipped=\d+\))?\n$/)
  },
)
