/** A server that sends something else than an export, a folder that others write to, a disk that is full. */
import { execFile } from 'node:child_process'
import { appendFileSync, existsSync, statSync } from 'node:fs'
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { limits } from '../../../../src/limits.ts'
import { fetchCounts } from '../../../../src/local/client/audit-counts.ts'
import { exportAudit, resumeExport } from '../../../../src/local/client/audit-export.ts'
import { ndjson, rangeExport, sampleLog } from '../../audit/verify/sample-files.ts'

vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }))

type Answer = (response: ServerResponse, after: string | null) => void

let whole: string
let folder: string
let out: string
let server: Server | undefined

beforeAll(async () => {
  whole = ndjson(await rangeExport([{ log: sampleLog('east', 400, true), end: 390 }]))
})

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dossier-hostile-'))
  out = join(folder, 'log')
})

afterEach(async () => {
  server?.closeAllConnections()
  server?.close()
  await rm(folder, { recursive: true })
})

/** Further requests are answered by the last. */
async function serve(...answers: readonly Answer[]) {
  let asked = 0
  server?.close()
  server = createServer((request, response) => {
    response.setHeader('Dossier-Export-Cursor', 'sealed')
    const answer = answers[Math.min(asked, answers.length - 1)]
    asked += 1
    answer?.(response, new URL(request.url ?? '', 'http://x').searchParams.get('after'))
  })
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, token: async () => 'abc', language: 'en' } as const
}

const run = async (...answers: readonly Answer[]) =>
  await exportAudit(await serve(...answers), { filters: new URLSearchParams(), format: 'ndjson', out })

const resume = async (...answers: readonly Answer[]) => await resumeExport(await serve(...answers), out)

const sends =
  (text: string): Answer =>
  (response) =>
    void response.end(text)

const refuses =
  (status: number, text = 'no'): Answer =>
  (response) =>
    void response.writeHead(status).end(text)

/** The whole file, or what comes after the entry. */
const honest: Answer = (response, after) => {
  const index = after?.split('/')[1]
  const lines = whole.split(/(?<=\n)/)
  const at = index === undefined ? -1 : lines.findIndex((line) => line.includes(`"index":"${index}"`))
  response.end(lines.slice(at + 1).join(''))
}

/** Once the client has written this much. */
function when(size: number, then: () => void): void {
  const partial = `${out}.partial`
  if (existsSync(partial) && statSync(partial).size >= size) then()
  else setImmediate(() => when(size, then))
}

const cutAt =
  (size: number): Answer =>
  (response) =>
    void response.write(whole.slice(0, size), () => when(size, () => response.destroy()))

const cuts: Answer = (response) => void response.destroy()

/** What a run leaves that does not come to an end. */
const broken = async () => await expect(run(cutAt(30_000), cuts)).rejects.toThrow(/--resume/)

const files = async (): Promise<readonly string[]> => (await readdir(folder)).sort()

describe('what is no export is not kept as one, and says so:', () => {
  test.each([
    ['a page', '<html>Please log in</html>'],
    ['a page of several lines', '<html>\n<p>Please log in\n</html>\n'],
    ['another document', '{"resourceType":"OperationOutcome"}\n'],
    ['no object', 'null\n'],
  ])('%s', async (_, text) => {
    await writeFile(out, 'older')
    await expect(run(sends(text))).rejects.toThrow(/no export|torn|before its first entry/)
    expect(await files()).toEqual(['log'])
    expect(await readFile(out, 'utf8')).toBe('older')
  })

  test('nothing at all', async () => {
    await expect(run(sends(''))).rejects.toThrow()
    expect(await files()).toEqual([])
  })

  test('a line without an end, which is not read to it', async () => {
    let sent = 0
    let hasLeft = false
    const endless: Answer = (response) => {
      response.on('close', () => {
        hasLeft = true
      })
      response.write(`${whole.slice(0, whole.indexOf('\n'))}\n`)
      const more = (): void => {
        if (response.destroyed || sent > 64 * limits.maxVerifiedLineLength) return
        sent += 65_536
        response.write('x'.repeat(65_536), more)
      }
      more()
    }
    await expect(run(endless)).rejects.toThrow('one of its lines does not end')
    expect(sent).toBeLessThan(64 * limits.maxVerifiedLineLength)
    await vi.waitFor(() => expect(hasLeft).toBe(true))
    expect(await files()).toEqual([])
  })

  test('of AuditEvents, lines that hold no entry', async () => {
    const text = `${whole.slice(0, whole.indexOf('\n'))}\n{"entry":{},"leaf":"bGVhZg","salt":"c2FsdA"}\n`
    const asked = { filters: new URLSearchParams(), format: 'fhir', out } as const
    await expect(exportAudit(await serve(sends(text)), asked)).rejects.toThrow('what came is no export')
    expect(await files()).toEqual([])
  })
})

test('an answer that ends well in the middle of a line is gone on with', async () => {
  await run(sends(whole.slice(0, 20_001)), honest)
  expect(await readFile(out, 'utf8')).toBe(whole)
})

test('gzip that ends well for the connection, and too early for a file, is gone on with', async () => {
  const { length } = whole.slice(0, whole.lastIndexOf('\n', 40_000) + 1)
  // All of these lines, and not the end that says so.
  const flushed = gzipSync(whole.slice(0, length), { finishFlush: constants.Z_SYNC_FLUSH })
  expect(gunzipSync(flushed, { finishFlush: constants.Z_SYNC_FLUSH }).toString()).toBe(whole.slice(0, length))
  let asked = 0
  await run(
    (response) => void response.setHeader('Content-Encoding', 'gzip').end(flushed),
    (response, after) => {
      asked += 1
      honest(response, after)
    },
  )
  expect([asked, await readFile(out, 'utf8')]).toEqual([1, whole])
  const counts = await serve((response) => void response.setHeader('Content-Encoding', 'gzip').end(flushed))
  await expect(fetchCounts(counts, '/audit/report', join(folder, 'counts'))).rejects.toThrow('broke off')
  expect(await files()).toEqual(['log'])
})

test('what a server says is shown without what a terminal would obey', async () => {
  await expect(run(refuses(403, 'no\u001b]0;title\u0007\u009b2J\nmore\n'))).rejects.toThrow(
    /answered 403: no \]0;title 2J more$/,
  )
})

describe('in a folder that others write to', () => {
  test('nothing is written through a link, nor read by others', async () => {
    const theirs = join(folder, 'theirs')
    await writeFile(theirs, 'theirs', { mode: 0o644 })
    await symlink(theirs, `${out}.resume`)
    await broken()
    expect(await readFile(theirs, 'utf8')).toBe('theirs')
    for (const left of [`${out}.resume`, `${out}.partial`]) {
      expect((await lstat(left)).isFile()).toBe(true)
      expect((await stat(left)).mode & 0o777).toBe(0o600)
    }
    expect(await files()).toEqual(['log.partial', 'log.resume', 'theirs'])
  })

  test('nothing goes on behind a link', async () => {
    await broken()
    const theirs = join(folder, 'theirs')
    await writeFile(theirs, whole.slice(0, 30_000), { mode: 0o666 })
    await rm(`${out}.partial`)
    await symlink(theirs, `${out}.partial`)
    await expect(resume(honest)).rejects.toThrow(/could not be written/)
    expect(await readFile(theirs, 'utf8')).toBe(whole.slice(0, 30_000))
  })

  test('what was left is for its owner only, whatever became of it meanwhile', async () => {
    await broken()
    await chmod(`${out}.partial`, 0o644)
    await expect(resume(cuts)).rejects.toThrow(/--resume/)
    expect((await stat(`${out}.partial`)).mode & 0o777).toBe(0o600)
  })

  test('a cursor of another export does not stand beside a new one', async () => {
    await writeFile(`${out}.resume`, '{"format":"csv","cursor":"older"}')
    const target = await serve(honest)
    const token = async (): Promise<string> => {
      expect(await files()).toEqual(['log.partial'])
      return 'abc'
    }
    const asked = { filters: new URLSearchParams(), format: 'ndjson', out } as const
    await exportAudit({ ...target, token }, asked)
    expect(await files()).toEqual(['log'])
  })

  test('a second run at the same file is found out', async () => {
    const meanwhile: Answer = (response) =>
      void response.write(whole.slice(0, 10_000), () =>
        when(10_000, () => {
          appendFileSync(`${out}.partial`, 'another run')
          response.end(whole.slice(10_000))
        }),
      )
    await expect(run(meanwhile)).rejects.toThrow('another run writes to the same file')
    expect(existsSync(out)).toBe(false)
  })
})

describe('what a broken export left', () => {
  test.each([400, 401, 403, 404])('stays where going on with it is refused: %i', async (status) => {
    await broken()
    await expect(resume(refuses(status))).rejects.toThrow(`answered ${status}`)
    expect(await files()).toEqual(['log.partial', 'log.resume'])
    await resume(honest)
    expect(await readFile(out, 'utf8')).toBe(whole)
  })

  test.each([
    '',
    'x',
    'null',
    '[]',
    '{"format":"pdf","cursor":"sealed"}',
    '{"format":"__proto__","cursor":"sealed"}',
    '{"format":"csv"}',
    '{"format":"ndjson","cursor":7}',
  ])('is not guessed at where somebody edited it: %s', async (text) => {
    await broken()
    await writeFile(`${out}.resume`, text)
    await expect(resume(honest)).rejects.toThrow(/no part of an export to .*: begin it/)
    expect(await files()).toEqual(['log.partial', 'log.resume'])
  })
})

test('a file that the disk has no room for is not taken for the whole', async () => {
  // More than the limit of 8 KiB by less than one chunk: the last write is a short one.
  const text = whole.split(/(?<=\n)/)
  const small = [...text.slice(0, 1), ...text.slice(1).filter((line) => line.includes('"proof"'))]
  const header = {
    ...JSON.parse(small[0] as string),
    completeness: 'none',
    filters: { pad: 'x'.repeat(9_000) },
  }
  const target = await serve(sends(`${JSON.stringify(header)}\n${small.slice(1).join('')}`))
  const script = `
    import { exportAudit } from ${JSON.stringify(resolve('src/local/client/audit-export.ts'))}
    const target = { url: ${JSON.stringify(target.url)}, token: async () => 'abc', language: 'en' }
    const asked = { filters: new URLSearchParams(), format: 'ndjson', out: ${JSON.stringify(out)} }
    await exportAudit(target, asked).then(() => console.log('whole'), ({ message }) => console.log(message))`
  const said = await new Promise<string>((done) => {
    const command = 'ulimit -f 8; exec "$0" --input-type=module -e "$1"'
    execFile('bash', ['-c', command, process.execPath, script], (_, stdout, stderr) => done(stdout + stderr))
  })
  expect(said).toMatch(/could not be written|EFBIG/)
  expect(existsSync(out)).toBe(false)
})
