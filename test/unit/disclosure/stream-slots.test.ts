/** Many streams at once, of clients that read slowly or not at all: memory is bounded, and a slot comes back however one ends. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { AuditLogRpc } from '../../../src/audit/client.ts'
import { StreamSlots } from '../../../src/disclosure/stream-slots.ts'
import { limits } from '../../../src/limits.ts'
import { ok } from '../../../src/result.ts'
import { streamingExchange } from './streamed-operation.ts'

/** Of the log, and of what is streamed. */
let isFailing: boolean
let isBroken: boolean
let appended: number

const append: AuditLogRpc['append'] = async (log) => {
  if (isFailing) return { ok: false, error: { reason: 'log-overload' } }
  appended += 1
  return ok({ log, hash: 'aGFzaA', time: '2026-11-22T09:06:00.123Z', first: String(appended), count: 1 })
}

async function* source() {
  for (const text of ['one\n', 'two\n', 'three\n']) {
    if (isBroken) throw new Error('the audit database is away')
    yield { patients: [], bytes: new TextEncoder().encode(text) }
  }
}

async function ask(subject: string): Promise<Response> {
  const { exchange, operation } = streamingExchange({ append, source, subject })
  await exchange.authenticate()
  return await exchange.run(operation, {}, {})
}

/** As many as one caller may have, none of which is read. */
const unread = async (subject: string): Promise<readonly Response[]> =>
  await Promise.all(Array.from({ length: limits.maxCallerStreams }, () => ask(subject)))

beforeEach(() => {
  isFailing = false
  isBroken = false
  appended = 0
})

describe('streams that nobody reads', () => {
  test('keep their caller from further ones, of which nothing is said to have been disclosed, and nobody else', async () => {
    const open = await unread('greedy')
    expect(open.map(({ status }) => status)).toEqual(open.map(() => 200))
    const before = appended
    const refused = await ask('greedy')
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0, appended]).toEqual([
      429,
      true,
      before,
    ])
    const other = await ask('other')
    expect([other.status, await other.text()]).toEqual([200, 'one\ntwo\nthree\n'])
    for (const { body } of open) await body?.cancel()
  })

  test.each<readonly [string, (response: Response) => Promise<unknown>]>([
    ['is read to its end', async (response) => await response.text()],
    ['is left', async (response) => await response.body?.cancel()],
    [
      'breaks off',
      async (response) => {
        isBroken = true
        await expect(response.text()).rejects.toThrow()
        isBroken = false
      },
    ],
  ])('make room as soon as one %s', async (how, end) => {
    const open = await unread(how)
    expect((await ask(how)).status).toBe(429)
    await end(open[0] as Response)
    const next = await ask(how)
    expect(next.status).toBe(200)
    for (const { body } of [next, ...open.slice(1)]) await body?.cancel()
  })

  test('make room when nobody has read for too long, and do not look whole', async () => {
    vi.useFakeTimers()
    try {
      const open = await unread('asleep')
      await vi.advanceTimersByTimeAsync(limits.streamIdleMs - 1)
      expect((await ask('asleep')).status).toBe(429)
      await vi.advanceTimersByTimeAsync(1)
      const next = await ask('asleep')
      expect([next.status, await next.text()]).toEqual([200, 'one\ntwo\nthree\n'])
      for (const response of open) await expect(response.text()).rejects.toThrow('nobody has read')
    } finally {
      vi.useRealTimers()
    }
  })

  test('that the log refuses never began', async () => {
    isFailing = true
    for (const { status } of await unread('refused')) expect(status).toBe(503)
    isFailing = false
    const response = await ask('refused')
    expect([response.status, await response.text()]).toEqual([200, 'one\ntwo\nthree\n'])
  })
})

test('all streams together are bounded, and a slot that is given back twice counts once', () => {
  const slots = new StreamSlots()
  const taken = Array.from({ length: limits.maxStreams }, (_, i) =>
    slots.take({ issuer: 'i', subject: `s${i}` }),
  )
  const more = { issuer: 'i', subject: 'more' }
  expect(slots.take(more)).toEqual({ ok: false, error: 'overload' })
  const [first] = taken
  if (first?.ok) for (const _ of [1, 2]) first.value()
  expect([slots.take(more).ok, slots.take({ ...more, subject: 'another' }).ok]).toEqual([true, false])
})
