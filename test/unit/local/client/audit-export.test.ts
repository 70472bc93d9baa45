import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exportAudit } from '../../../../src/local/client/audit-export.ts'
import { fetchProof } from '../../../../src/local/client/audit-proof.ts'
import {
  auditEvents,
  csv,
  csvRows,
  events,
  ndjson,
  rangeExport,
  sampleLog,
} from '../../audit/verify/sample-files.ts'

let folder: string
let server: Server | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dossier-export-'))
})
afterEach(async () => {
  server?.close()
  await rm(folder, { recursive: true })
})

async function serve(answer: (response: ServerResponse, url: string) => void) {
  server = createServer((request, response) => answer(response, request.url ?? ''))
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, token: async () => 'abc', language: 'en' } as const
}

/** A line as an export has it; its entry is not looked into. */
const line = (n: number): string => `{"entry":${n},"leaf":"bGVhZg","salt":"c2FsdA"}`

describe('an export', () => {
  it('is written whole, private, under its name, in place of an older one', async () => {
    let asked = ''
    const target = await serve((response, url) => {
      asked = url
      response.write(`{"format":"dossier-export/1"}\n${line(1).slice(0, 9)}`)
      response.end(`${line(1).slice(9)}\n${line(2)}\n`)
    })
    const out = join(folder, 'log.ndjson')
    await writeFile(out, 'older')
    const result = await exportAudit(target, {
      filters: new URLSearchParams({ patient: 'p' }),
      format: 'ndjson',
      out: out,
    })
    const text = `{"format":"dossier-export/1"}\n${line(1)}\n${line(2)}\n`
    expect(result).toEqual({ entries: 2, bytes: text.length })
    expect(asked).toBe('/audit/export?patient=p&format=ndjson')
    expect(await readFile(out, 'utf8')).toBe(text)
    expect((await stat(out)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['log.ndjson'])
  })

  it('that breaks off leaves nothing behind, and an older file as it was', async () => {
    const target = await serve((response) => {
      response.write('{"format":"dossier-export/1"}\n', () => response.destroy())
    })
    const out = join(folder, 'log.ndjson')
    await writeFile(out, 'older')
    await expect(
      exportAudit(target, { filters: new URLSearchParams(), format: 'ndjson', out: out }),
    ).rejects.toThrow(/broke off/)
    expect(await readdir(folder)).toEqual(['log.ndjson'])
    expect(await readFile(out, 'utf8')).toBe('older')
  })

  it('that ends before the last entry its header announces is not taken for the whole', async () => {
    const logs = [
      { log: 'montreal', first: '5', end: '7' },
      { log: 'quebec', first: '0', end: '1' },
    ]
    const header = JSON.stringify({ format: 'dossier-export/1', completeness: 'range', logs })
    const redacted = '{"index":"6","leaf":"bGVhZg","log":"montreal","redacted":"9"}'
    const block = '{"block":["0","256"],"hash":"aGFzaA","log":"montreal"}'
    const proved = '{"entry":3,"leaf":"bGVhZg","proof":["cGF0aA"],"salt":"c2FsdA"}'
    const lines = [line(1), redacted, block, proved, line(2)]
    const target = await serve((response) => response.end(`${header}\n${lines.join('\n')}\n`))
    const out = join(folder, 'log.ndjson')
    expect(
      await exportAudit(target, { filters: new URLSearchParams(), format: 'ndjson', out: out }),
    ).toMatchObject({ entries: 4 })
    lines.pop()
    await expect(
      exportAudit(target, { filters: new URLSearchParams(), format: 'ndjson', out: out }),
    ).rejects.toThrow('the export has 2 entries, but its header announces 3')
    expect((await readFile(out, 'utf8')).split('\n')).toHaveLength(7)
    expect(await readdir(folder)).toEqual(['log.ndjson'])
  })

  it('as CSV is made of the file that proves it, which stands beside it', async () => {
    const sample = await rangeExport([{ log: sampleLog('east', 60, true), end: 50 }])
    let asked = ''
    const bytes = Buffer.from(ndjson(sample))
    const target = await serve((response, url) => {
      asked = url
      for (let at = 0; at < bytes.length; at += 997) response.write(bytes.subarray(at, at + 997))
      response.end()
    })
    const out = join(folder, 'log.csv')
    const result = await exportAudit(target, { filters: new URLSearchParams(), format: 'csv', out: out })
    expect([asked, result]).toEqual(['/audit/export?format=ndjson', { entries: 51, bytes: bytes.length }])
    expect(await readFile(out, 'utf8')).toBe(csv(csvRows(sample)))
    expect((await readFile(`${out}.proof.ndjson`)).equals(bytes)).toBe(true)
    expect((await readdir(folder)).sort()).toEqual(['log.csv', 'log.csv.proof.ndjson'])
  })

  it('as FHIR is made of the file that proves it, under the address of the logs', async () => {
    const sample = await rangeExport([{ log: sampleLog('east', 60, true), end: 50 }])
    const target = await serve((response) => response.end(ndjson(sample)))
    const out = join(folder, 'log.ndjson')
    await exportAudit(target, { filters: new URLSearchParams(), format: 'fhir', out: out })
    const told = events(auditEvents(sample)).replaceAll('https://record.example', 'http://record.example')
    expect(await readFile(out, 'utf8')).toBe(told)
    expect(await readFile(`${out}.proof.ndjson`, 'utf8')).toBe(ndjson(sample))
  })

  it('writes through a link and never in the place of what is not a file', async () => {
    const target = await serve((response) => response.end('{"format":"dossier-export/1"}\n'))
    const file = join(folder, 'behind.ndjson')
    await writeFile(file, 'older')
    await symlink(file, join(folder, 'link.ndjson'))
    await exportAudit(target, {
      filters: new URLSearchParams(),
      format: 'ndjson',
      out: join(folder, 'link.ndjson'),
    })
    expect(await readFile(file, 'utf8')).toBe('{"format":"dossier-export/1"}\n')
    expect((await lstat(join(folder, 'link.ndjson'))).isSymbolicLink()).toBe(true)
    await mkdir(join(folder, 'taken'))
    await expect(
      exportAudit(target, { filters: new URLSearchParams(), format: 'ndjson', out: join(folder, 'taken') }),
    ).rejects.toThrow(/is not a file/)
  })

  it('that is refused says why', async () => {
    const target = await serve((response) => response.writeHead(403).end('{"detail":"not permitted"}'))
    await expect(
      exportAudit(target, { filters: new URLSearchParams(), format: 'csv', out: join(folder, 'log.csv') }),
    ).rejects.toThrow(/answered 403: {"detail":"not permitted"}/)
    expect(await readdir(folder)).toEqual([])
  })

  it('to a folder that does not exist says so', async () => {
    const target = await serve((response) => response.end('header\n'))
    const out = join(folder, 'absent', 'log.csv')
    await expect(
      exportAudit(target, { filters: new URLSearchParams(), format: 'csv', out: out }),
    ).rejects.toThrow(/log.csv.proof.ndjson could not be written/)
  })
})

describe('the proof of an entry', () => {
  it('is asked for until a checkpoint covers it, and written whole', async () => {
    const asked: string[] = []
    const target = await serve((response, url) => {
      asked.push(url)
      if (asked.length < 3) response.writeHead(202, { 'Retry-After': '0' }).end('{"published":false}')
      else response.end('c2sp.org/tlog-proof@v1\n')
    })
    const out = join(folder, 'a.tlog-proof')
    await fetchProof(target, 'east', '5', out)
    expect(asked).toEqual(Array.from({ length: 3 }, () => '/audit/proof/east/5'))
    expect(await readFile(out, 'utf8')).toBe('c2sp.org/tlog-proof@v1\n')
    expect((await stat(out)).mode & 0o777).toBe(0o600)
  })

  it('that is refused says why, and writes nothing', async () => {
    const target = await serve((response) => response.writeHead(404).end('{"title":"Not found."}'))
    await expect(fetchProof(target, '../x', '5', join(folder, 'a'))).rejects.toThrow(
      /answered 404: {"title":"Not found."}/,
    )
    expect(await readdir(folder)).toEqual([])
  })
})
