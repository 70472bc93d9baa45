/** DESIGN §6: a chunk's patients are in the log before its bytes leave, also when the log fails in the middle. */
import { describe, expect, test } from 'vitest'
import type { AuditLogRpc } from '../../../src/audit/client.ts'
import type { AccessBase } from '../../../src/audit/entry.ts'
import type { AppendRequest } from '../../../src/audit/port.ts'
import type { Known, Recorder } from '../../../src/disclosure/recorder.ts'
import { receiptedStream } from '../../../src/disclosure/stream.ts'
import { ok } from '../../../src/result.ts'
import { streamingExchange } from './streamed-operation.ts'

/** One chunk per line; the third names nobody new, the last but one has no bytes yet. */
const chunks = [
  { patients: [], text: 'header\n' },
  { patients: ['p1', 'p2'], text: 'p1 p2\n' },
  { patients: [], text: 'p1 again\n' },
  { patients: ['p3'], text: 'p3\n' },
  { patients: ['p4'], text: 'p4\n' },
  { patients: ['p5'], text: '' },
  { patients: [], text: 'p5\n' },
]

const faults = {
  refuses: async () => ({ ok: false, error: { reason: 'log-unavailable', detail: 'refused' } }) as const,
  'is overloaded': async () => ({ ok: false, error: { reason: 'log-overload' } }) as const,
  throws: async () => {
    throw new Error('killed')
  },
}

interface Streamed {
  readonly response: Response
  /** What left, and whether the stream ended as a whole file does. */
  readonly text: string
  readonly complete: boolean
  readonly appends: readonly AppendRequest[]
  /** How often the source was asked for a chunk. */
  readonly asked: number
}

/** Runs an export whose log takes `healthy` appends, the export's own entry first, and fails from then on. */
async function stream(
  healthy: number,
  fault: AuditLogRpc['append'] = faults.refuses,
  accepted = '',
): Promise<Streamed> {
  const appends: AppendRequest[] = []
  let asked = 0
  const append: AuditLogRpc['append'] = async (log, request) => {
    const reply = { log, hash: 'aGFzaA', time: '2026-11-22T09:06:00.123Z' }
    // What earlier requests were refused without a receipt is told beside this one.
    if (request.requestId !== exchange.requestId) return ok({ ...reply, first: '99', count: 1 })
    if (appends.length >= healthy) return await fault(log, request)
    const [first, count] = [String(appends.length), request.entries.length]
    appends.push(request)
    return ok({ ...reply, first, count })
  }
  async function* source() {
    for (const { patients, text } of chunks) {
      asked += 1
      yield { patients, bytes: new TextEncoder().encode(text) }
    }
  }
  const { exchange, operation } = streamingExchange({ append, source, acceptEncoding: accepted })
  expect(await exchange.authenticate()).toBeNull()
  const response = await exchange.run(operation, {}, {})
  const isCoded = response.headers.get('content-encoding') === 'gzip'
  const sent = response.body as ReadableStream<Uint8Array>
  const plain = isCoded ? sent.pipeThrough(new DecompressionStream('gzip') as typeof identity) : sent
  const reader = plain.getReader()
  let text = ''
  let complete = false
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read())
      text += new TextDecoder().decode(part.value)
    complete = true
  } catch {
    // The connection is cut: an incomplete file must not look complete.
  }
  return { response, text, complete, appends, asked }
}

declare const identity: ReadableWritablePair<Uint8Array, Uint8Array>

describe('a streamed disclosure in gzip', () => {
  test.each([
    ['gzip', true],
    ['GZIP', true],
    ['x-gzip', true],
    ['br;q=1.0, gzip;q=0.5', true],
    ['*', true],
    ['', false],
    ['identity', false],
    ['br, deflate', false],
    ['gzip;q=0', false],
    ['gzip; q=0.000, *;q=1', false],
    ['gzip;q=nonsense', false],
    ['gzippy', false],
  ])('leaves so where the client takes it: %j', async (accepted, isCoded) => {
    const { response, text, complete } = await stream(100, faults.refuses, accepted)
    expect(response.headers.get('content-encoding')).toBe(isCoded ? 'gzip' : null)
    expect(response.headers.get('vary')).toBe('Accept-Encoding')
    expect([text, complete]).toEqual([chunks.map((chunk) => chunk.text).join(''), true])
  })

  test('is no whole file when the log fails in the middle', async () => {
    const { text, complete, appends } = await stream(2, faults.refuses, 'gzip')
    expect(complete).toBe(false)
    expect(text).not.toContain('p3')
    expect(appends).toHaveLength(2)
  })
})

describe('a streamed disclosure', () => {
  test('appends its own entry, then the patients of each chunk once, and leaves whole', async () => {
    const { response, text, complete, appends } = await stream(100)
    expect(response.headers.get('dossier-receipt')).toBe('qc-test/0:aGFzaA')
    expect([text, complete]).toEqual([chunks.map((chunk) => chunk.text).join(''), true])
    expect(
      appends.map(({ phase, sequence, entries }) => [phase, sequence, entries.map(({ patient }) => patient)]),
    ).toEqual([
      ['access', 0, [null]],
      ['chunk', 1, ['p1', 'p2']],
      ['chunk', 2, ['p3']],
      ['chunk', 3, ['p4']],
      ['chunk', 4, ['p5']],
    ])
    expect(new Set(appends.map(({ requestId }) => requestId)).size).toBe(1)
    for (const { entries } of appends.slice(1))
      for (const { access } of entries) expect(JSON.parse(access).note).toEqual({ export: 'export-1' })
  })

  test('without its own entry does not begin', async () => {
    const { response, text, asked } = await stream(0)
    expect([response.status, asked]).toEqual([503, 0])
    expect(response.headers.get('dossier-receipt')).toBeNull()
    expect(text).not.toContain('header')
  })

  describe.each(Object.entries(faults))('of which the log %s at a later append', (_, fault) => {
    test.each([
      [1, 1],
      [2, 3],
      [3, 4],
      [4, 5],
    ])(
      '(%i taken) ends in an error, and nothing of that chunk or a later one leaves',
      async (healthy, left) => {
        const { text, complete, appends, asked } = await stream(healthy, fault)
        expect(complete).toBe(false)
        const sent = chunks
          .slice(0, left)
          .map((chunk) => chunk.text)
          .join('')
        // What was ready when the log failed may be dropped with the connection.
        expect(sent.startsWith(text)).toBe(true)
        expect(appends).toHaveLength(healthy)
        expect(asked).toBe(left + 1)
      },
    )
  })

  test('whose log comes back goes no further: a file with a gap never ends well', async () => {
    let failures = 0
    const { complete, text } = await stream(2, async () => {
      failures += 1
      return { ok: false, error: { reason: 'log-overload' } }
    })
    expect([complete, failures]).toEqual([false, 1])
    expect(text).not.toContain('p3')
  })

  test('passes over what brings nothing, and asks no further when nobody waits any more', async () => {
    const nobodys = { patients: [], bytes: new Uint8Array() }
    let asked = 0
    let leave = async (): Promise<void> => {}
    async function* source() {
      yield { patients: [], bytes: new Uint8Array([1]) }
      for (; asked < 1000; yield nobodys) {
        asked += 1
        if (asked === 50) await leave()
      }
    }
    const streamed = { exportId: 'export-1', chunks: source() }
    // Nothing is appended: no chunk names anybody.
    const reader = receiptedStream(
      {} as Recorder,
      {} as Known,
      {} as AccessBase,
      null,
      streamed,
      () => {},
    ).getReader()
    leave = async () => await reader.cancel()
    expect(await reader.read()).toEqual({ done: false, value: new Uint8Array([1]) })
    expect(await reader.read()).toEqual({ done: true, value: undefined })
    expect(asked).toBe(50)
  })
})
