import { describe, expect, test } from 'vitest'
import { createLoad, parseSessionClock } from '../../../src/disclosure/load.ts'
import { limits } from '../../../src/limits.ts'
import { type Reader, type Rows, type Statement, StoreError, type Writer } from '../../../src/store/ports.ts'

const now = 1_800_000_000_000
const facts = (n: number, heartbeatAt: number): readonly Rows[] => [
  [{ epoch: 'e1', n, heartbeat_at: heartbeatAt }],
]
const away = () => Promise.reject(new StoreError('unavailable', 'refused'))

function primary(answer: () => Promise<readonly Rows[]>) {
  const calls = { reads: 0, beats: [] as Statement[] }
  const writer: Writer = {
    read: () => {
      calls.reads++
      return answer()
    },
    apply: async ([statement]) => {
      if (statement) calls.beats.push(statement)
      await answer()
      return []
    },
    write: away,
    abort: away,
  }
  return { writer, calls }
}

const replica = (answer: () => Promise<readonly Rows[]>): Reader => ({ read: answer })
const deferred: Promise<unknown>[] = []
const defer = (work: Promise<unknown>) => void deferred.push(work)

describe('load', () => {
  test('a fresh replica is served, and the primary is not asked', async () => {
    const { writer, calls } = primary(async () => facts(9, now))
    const load = createLoad({ replica: replica(async () => facts(7, now - 100)), primary: writer })
    const snapshot = await load([], null, now, defer)
    expect(snapshot.staleness).toBeNull()
    expect(snapshot.rows[0]?.[0]?.n).toBe(7)
    expect(calls).toEqual({ reads: 0, beats: [] })
  })

  test('a heartbeat past half the fresh bound is renewed after the answer', async () => {
    const { writer, calls } = primary(async () => facts(7, now))
    const load = createLoad({
      replica: replica(async () => facts(7, now - limits.freshMs / 2 - 1)),
      primary: writer,
    })
    expect((await load([], null, now, defer)).staleness).toBeNull()
    await Promise.all(deferred)
    expect(calls.reads).toBe(0)
    expect(calls.beats).toHaveLength(1)
  })

  test('a stale replica gives way to the primary, after a heartbeat', async () => {
    const { writer, calls } = primary(async () => facts(9, now))
    const load = createLoad({
      replica: replica(async () => facts(7, now - limits.freshMs - 1)),
      primary: writer,
    })
    const snapshot = await load([], null, now, defer)
    expect(snapshot.rows[0]?.[0]?.n).toBe(9)
    expect(snapshot.staleness).toBeNull()
    expect(calls.beats).toHaveLength(1)
  })

  test('with the primary away a stale page is served marked, and the primary is left alone for a while', async () => {
    const { writer, calls } = primary(away)
    const load = createLoad({ replica: replica(async () => facts(7, now - 30_000)), primary: writer })
    expect((await load([], null, now, defer)).staleness).toEqual({ seconds: 30, degraded: false })
    expect((await load([], null, now + 1, defer)).staleness).toEqual({ seconds: 30, degraded: false })
    expect(calls.beats).toHaveLength(1)
    await load([], null, now + limits.primaryRetryAfterMs, defer)
    expect(calls.beats).toHaveLength(2)
  })

  test('past the bound of the node a stale page is marked degraded', async () => {
    const load = createLoad({
      replica: replica(async () => facts(7, now - limits.degradedAfterMs - 1_000)),
      primary: primary(away).writer,
    })
    expect((await load([], null, now, defer)).staleness).toEqual({ seconds: 901, degraded: true })
  })

  test('a heartbeat in the future counts as stale', async () => {
    const load = createLoad({
      replica: replica(async () => facts(7, now + limits.maxClockSkewMs + 1)),
      primary: primary(away).writer,
    })
    expect((await load([], null, now, defer)).staleness).not.toBeNull()
  })

  test('a caller who has seen more than the replica reads at the primary; another epoch says nothing', async () => {
    const { writer } = primary(async () => facts(9, now))
    const load = createLoad({ replica: replica(async () => facts(7, now)), primary: writer })
    expect((await load([], parseSessionClock('e1.8'), now, defer)).rows[0]?.[0]?.n).toBe(9)
    expect((await load([], parseSessionClock('e1.7'), now, defer)).rows[0]?.[0]?.n).toBe(7)
    expect((await load([], parseSessionClock('e2.99'), now, defer)).rows[0]?.[0]?.n).toBe(7)
  })

  test('a replica that does not answer is replaced by the primary; both away is an error', async () => {
    const load = createLoad({ replica: replica(away), primary: primary(async () => facts(9, now)).writer })
    expect((await load([], null, now, defer)).rows[0]?.[0]?.n).toBe(9)
    const nothing = createLoad({ replica: replica(away), primary: primary(away).writer })
    await expect(nothing([], null, now, defer)).rejects.toThrow(StoreError)
  })

  test.each(['', 'e1', 'e1.', 'e1.-1', 'e1.01', 'e1.1.2', `e1.${'9'.repeat(16)}`, 'E1.1'])(
    '%j is no clock',
    (header) => {
      expect(parseSessionClock(header)).toBeNull()
    },
  )
})
