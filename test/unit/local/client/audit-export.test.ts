import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exportAudit, recordCounter } from '../../../../src/local/client/audit-export.ts'

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

describe('an export', () => {
  it('is written whole, private, under its name, in place of an older one', async () => {
    let asked = ''
    const target = await serve((response, url) => {
      asked = url
      response.write('{"format":"dossier-export/0"}\n{"entry":1}\n')
      response.end('{"entry":2}\n')
    })
    const out = join(folder, 'log.ndjson')
    await writeFile(out, 'older')
    const result = await exportAudit(target, new URLSearchParams({ patient: 'p' }), 'ndjson', out)
    expect(result).toEqual({ entries: 2, bytes: 54 })
    expect(asked).toBe('/audit/export?patient=p&format=ndjson')
    expect(await readFile(out, 'utf8')).toBe('{"format":"dossier-export/0"}\n{"entry":1}\n{"entry":2}\n')
    expect((await stat(out)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['log.ndjson'])
  })

  it('that breaks off leaves nothing behind, and an older file as it was', async () => {
    const target = await serve((response) => {
      response.write('{"format":"dossier-export/0"}\n', () => response.destroy())
    })
    const out = join(folder, 'log.ndjson')
    await writeFile(out, 'older')
    await expect(exportAudit(target, new URLSearchParams(), 'ndjson', out)).rejects.toThrow(/broke off/)
    expect(await readdir(folder)).toEqual(['log.ndjson'])
    expect(await readFile(out, 'utf8')).toBe('older')
  })

  it('that ends before the last entry its header announces is not taken for the whole', async () => {
    const logs = [
      { log: 'montreal', first: '5', end: '7' },
      { log: 'quebec', first: '0', end: '1' },
    ]
    const header = JSON.stringify({ format: 'dossier-export/0', completeness: 'range', logs })
    let lines = 3
    const target = await serve((response) => response.end(`${header}\n${'{"entry":1}\n'.repeat(lines)}`))
    const out = join(folder, 'log.ndjson')
    expect(await exportAudit(target, new URLSearchParams(), 'ndjson', out)).toMatchObject({ entries: 3 })
    lines = 2
    await expect(exportAudit(target, new URLSearchParams(), 'ndjson', out)).rejects.toThrow(
      'the export has 2 entries, but its header announces 3',
    )
    expect((await readFile(out, 'utf8')).split('\n')).toHaveLength(5)
    expect(await readdir(folder)).toEqual(['log.ndjson'])
  })

  it('writes through a link and never in the place of what is not a file', async () => {
    const target = await serve((response) => response.end('{"format":"dossier-export/0"}\n'))
    const file = join(folder, 'behind.ndjson')
    await writeFile(file, 'older')
    await symlink(file, join(folder, 'link.ndjson'))
    await exportAudit(target, new URLSearchParams(), 'ndjson', join(folder, 'link.ndjson'))
    expect(await readFile(file, 'utf8')).toBe('{"format":"dossier-export/0"}\n')
    expect((await lstat(join(folder, 'link.ndjson'))).isSymbolicLink()).toBe(true)
    await mkdir(join(folder, 'taken'))
    await expect(exportAudit(target, new URLSearchParams(), 'ndjson', join(folder, 'taken'))).rejects.toThrow(
      /is not a file/,
    )
  })

  it('that is refused says why', async () => {
    const target = await serve((response) => response.writeHead(403).end('{"detail":"not permitted"}'))
    await expect(exportAudit(target, new URLSearchParams(), 'csv', join(folder, 'log.csv'))).rejects.toThrow(
      /answered 403: {"detail":"not permitted"}/,
    )
    expect(await readdir(folder)).toEqual([])
  })

  it('to a folder that does not exist says so', async () => {
    const target = await serve((response) => response.end('header\n'))
    const out = join(folder, 'absent', 'log.csv')
    await expect(exportAudit(target, new URLSearchParams(), 'csv', out)).rejects.toThrow(
      /log.csv could not be written/,
    )
  })
})

it('counts the records of a CSV whose fields hold line breaks, in chunks of any size', () => {
  const text = 'a,b\r\n1,"two\r\nlines ""quoted"""\r\n2,x\r\n'
  const counter = recordCounter('csv')
  for (const byte of Buffer.from(text)) counter.take(Uint8Array.of(byte))
  expect(counter.entries()).toBe(2)
})
