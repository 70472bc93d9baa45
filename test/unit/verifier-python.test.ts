import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

const runs = (command: string, argument: string): boolean => spawnSync(command, [argument]).status === 0

/** The second verifier has tests of its own, with its own sample logs: nothing is shared with the first one. */
test.skipIf(!runs('python3', '--version') || !runs('openssl', 'version'))(
  'the verifier in Python passes its own tests',
  { timeout: 300_000 },
  () => {
    const { status, stderr } = spawnSync('python3', ['-m', 'unittest', 'discover', '-s', 'verifier/tests'], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(status, stderr).toBe(0)
    // Zero tests are no success either.
    expect(stderr).toMatch(/^Ran [1-9]\d+ tests/m)
  },
)
