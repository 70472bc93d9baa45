/**
 * Step 2 of a read: one batch at the nearest replica, with the age of what it says. A replica that is behind what the
 * caller has seen, or stale, is asked for nothing: the primary is; when that is away too, the page is served marked.
 */
import { type Clock, freshness, readClock } from '../access/facts.ts'
import { limits } from '../limits.ts'
import { heartbeatStatement } from '../store/heartbeat.ts'
import { type Rows, type Statement, StoreError } from '../store/ports.ts'
import { raiseAlarm } from './alarms.ts'
import type { Defer, Ports } from './ports.ts'

export interface Staleness {
  readonly seconds: number
  readonly degraded: boolean
}

export interface Snapshot {
  readonly rows: readonly Rows[]
  /** Null when fresh. */
  readonly staleness: Staleness | null
  /** The caller says to have seen a write that the primary itself does not know: no write of ours. */
  readonly isClockAhead: boolean
}

/** What a client sends back in `Dossier-Clock` to read its own writes. */
export interface SessionClock {
  readonly epoch: string
  readonly n: number
}

/** `<epoch>.<n>`; anything else is no clock. */
export function parseSessionClock(header: string | null): SessionClock | null {
  const match = header?.match(/^([0-9a-z]{1,32})\.(0|[1-9]\d{0,14})$/)
  return match ? { epoch: match[1] as string, n: Number(match[2]) } : null
}

export type Load = (
  statements: readonly Statement[],
  session: SessionClock | null,
  now: number,
  defer: Defer,
) => Promise<Snapshot>

/** `statements` begin with those of `access/facts.ts`. The returned function rejects with `StoreError`. */
export function createLoad({ replica, primary }: Pick<Ports, 'replica' | 'primary'>): Load {
  // Owned by this isolate: after a failed read at the primary, the time until which it is not asked again.
  let primaryAwayUntil = 0

  const fromPrimary = async (
    statements: readonly Statement[],
    now: number,
    beat: boolean,
  ): Promise<readonly Rows[] | null> => {
    if (now < primaryAwayUntil) return null
    try {
      if (beat) await primary.apply([heartbeatStatement(now)], limits.primaryReadDeadlineMs)
      return await primary.read(statements, limits.primaryReadDeadlineMs)
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'unavailable') throw error
      primaryAwayUntil = now + limits.primaryRetryAfterMs
      return null
    }
  }

  return async (statements, session, now, defer) => {
    let rows: readonly Rows[]
    try {
      rows = await replica.read(statements)
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'unavailable') throw error
      const fallback = await fromPrimary(statements, now, false)
      if (!fallback) throw error
      return atPrimary(fallback, session)
    }
    const clock = readClock(rows)
    const age = freshness(clock.heartbeatAt, now)
    if (age.future) raiseAlarm('heartbeat-in-future', null)
    if (age.fresh && !isBehind(clock, session)) {
      if (now - clock.heartbeatAt > limits.freshMs / 2)
        // A missed beat is made up for by the next read.
        defer(primary.apply([heartbeatStatement(now)], limits.primaryReadDeadlineMs).catch(() => undefined))
      return { rows, staleness: null, isClockAhead: false }
    }
    const newer = await fromPrimary(statements, now, !age.fresh)
    if (newer) return atPrimary(newer, session)
    return { rows, staleness: { seconds: age.seconds, degraded: age.degraded }, isClockAhead: false }
  }
}

const atPrimary = (rows: readonly Rows[], session: SessionClock | null): Snapshot => ({
  rows,
  staleness: null,
  isClockAhead: isBehind(readClock(rows), session),
})

const isBehind = (clock: Clock, session: SessionClock | null): boolean =>
  session !== null && session.epoch === clock.epoch && clock.n < session.n
