/** `npm run demo` is what the README shows first: it works, and leaves nothing behind. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('the demo does every step it tells of, ends with 0 and leaves nothing behind', async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'dossier-demo-test-'))
  const ran = await new Promise<{ code: number; stdout: string; stderr: string }>((resolve) =>
    execFile(
      process.execPath,
      ['src/local/demo.ts'],
      { env: { ...process.env, TMPDIR: temporary } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    ),
  )
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  expect(ran.stdout).toMatch(/^8\. /m)
  expect(ran.stdout.match(/ ✓ /g)?.length).toBeGreaterThan(15)
  expect(ran.stdout).toContain('Everything above happened as it says.')
  expect(await readdir(temporary)).toEqual([])
  await rm(temporary, { recursive: true })
})
