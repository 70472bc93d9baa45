/** `dossier audit verify` and `fsck` as they are run: lines, exit codes, files by their names. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { faultLine } from '../../../src/cli/audit-report.ts'
import {
  csv,
  csvRows,
  logListing,
  ndjson,
  policyText,
  publishedLog,
  publishedSite,
  rangeExport,
  sampleLog,
} from '../audit/verify/sample-files.ts'
import { writeSite } from '../audit/verify/sample-folder.ts'

const folder = mkdtempSync(join(tmpdir(), 'dossier-verify-'))
afterAll(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

interface Run {
  readonly code: number
  readonly out: readonly string[]
  readonly err: readonly string[]
}

const main = join(import.meta.dirname, '../../../src/cli/main.ts')

const audit = (...args: readonly string[]): Promise<Run> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [main, 'audit', ...args], (_, out, err) => {
      const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')
      resolve({ code: child.exitCode ?? -1, out: lines(out), err: lines(err) })
    })
  })

const montreal = sampleLog('montreal', 300, true)
const quebec = sampleLog('quebec', 10)
const logs = [montreal, quebec]
const file = await rangeExport([{ log: montreal, known: 100 }, { log: quebec }])
const path = write('export.ndjson', ndjson(file))
const policy = write('policy', policyText(logs, 2))

describe('dossier audit verify', () => {
  test('says a line for each log, and last what is verified by which keys', async () => {
    const known = [write('a', montreal.checkpoint(100)), write('b', quebec.checkpoint())]
    const { code, out, err } = await audit(
      'verify',
      path,
      '--policy',
      policy,
      '--known',
      known[0] as string,
      '--known',
      known[1] as string,
    )
    expect({ code, err }).toEqual({ code: 0, err: [] })
    expect(out[0]).toMatch(
      /^montreal: 303 entries .*3 redacted.*cosigned by w1, w2, w3; agrees with the known checkpoint of 100$/,
    )
    expect(out[1]).toMatch(/^quebec: 10 entries/)
    expect(out.at(-1)).toMatch(/^verified .*export\.ndjson: 313 entries of 2 logs;.*those of the policy$/)
  })

  test('without a policy says that the keys are those in the file, and which', async () => {
    const { code, out } = await audit('verify', path)
    expect(code).toBe(0)
    expect(out[0]).toMatch(/signed by Ed25519 [0-9a-f]{8}, ML-DSA-44 [0-9a-f]{8}/)
    expect(out.filter((line) => line.startsWith('not checked: '))).toHaveLength(6)
    expect(out.at(-1)).toMatch(/^verified .*keys: those in the file$/)
  })

  test('says on one line what is first wrong, and in which file', async () => {
    const rows = write('rows.csv', csv(csvRows(file)).replace(',permit,', ',deny,'))
    expect(await audit('verify', rows, '--proof', path)).toEqual({
      code: 1,
      out: [],
      err: [`${rows}: csv-cell: row 2 column outcome: The entry says "permit", the row "deny".`],
    })
    const broken = write('broken.ndjson', ndjson(file).replace('"status":200', '"status":404'))
    const { code, err } = await audit('verify', write('rows.csv', csv(csvRows(file))), '--proof', broken)
    expect({ code, err }).toEqual({
      code: 1,
      err: [expect.stringMatching(/broken\.ndjson: leaf: montreal\/0: /)],
    })
  })

  test('says so where a file is not there', async () => {
    const nowhere = join(folder, 'nowhere')
    expect(await audit('verify', nowhere)).toMatchObject({
      code: 1,
      err: [expect.stringContaining(`${nowhere}: unreadable: file: `)],
    })
    expect(await audit('verify', path, '--policy', nowhere)).toMatchObject({
      code: 1,
      err: [expect.stringContaining(`${nowhere}: unreadable: file: `)],
    })
  })
})

test('nothing in a file can break the line or the terminal', () => {
  const names = { file: 'a\u001b[2Jb', known: [] }
  const line = faultLine({ source: 'file', code: 'log', place: 'x\ny/0', sentence: 'A\u2028b.' }, names)
  expect(line).toBe('a\ufffd[2Jb: log: x\ufffdy/0: A\ufffdb.')
})

describe('dossier audit fsck', () => {
  test('checks all logs that a folder lists', async () => {
    const site = join(folder, 'site')
    writeSite(site, publishedSite(logs))
    const { code, out } = await audit('fsck', site)
    expect(code).toBe(0)
    expect(out.at(-1)).toMatch(/^verified .*site: 313 entries of 2 logs;.*keys: those in the list of logs$/)
    expect(await audit('fsck', join(site, 'quebec'))).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/quebec: key: quebec: /)],
    })
    expect(await audit('fsck', join(site, 'quebec'), '--policy', policy)).toMatchObject({ code: 0 })
  })

  test('checks all logs of a record over HTTP, waits when it is busy, and names the tile that is wrong', async () => {
    const files = new Map([['/audit/logs', new TextEncoder().encode(logListing(logs))]])
    for (const log of logs)
      for (const [name, bytes] of publishedLog(log)) files.set(`/audit/logs/${log.name}/${name}`, bytes)
    let busy = 1
    const server = createServer((request, response) => {
      const bytes = files.get(request.url ?? '')
      if (bytes !== undefined && busy > 0) {
        busy -= 1
        response.writeHead(503, { 'retry-after': '0' }).end()
      } else if (bytes === undefined) response.writeHead(404).end()
      else response.end(bytes)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      expect(await audit('fsck', url)).toMatchObject({ code: 0 })
      expect(await audit('fsck', `${url}/audit/logs/montreal`, '--policy', policy)).toMatchObject({ code: 0 })
      files.delete('/audit/logs/montreal/tile/entries/000')
      expect(await audit('fsck', `${url}/`)).toMatchObject({
        code: 1,
        err: [`${url}/: tile: montreal/tile/entries/000: The bundle is missing.`],
      })
    } finally {
      server.close()
    }
  })
})
