/**
 * Failed authentications: singly up to a limit per address and minute, then counted. A queue of their own, bounded, of
 * which every commit takes a few: a flood neither delays reads nor waits behind them.
 */
import { randomUUID } from 'node:crypto'
import { limits } from '../limits.ts'
import { buildEntries, countedAccess, nobody } from './entry.ts'
import type { LogSql } from './log-store.ts'
import type { AppendRequest } from './port.ts'

const minuteMs = 60_000

export const minuteOf = (now: number): number => Math.floor(now / minuteMs)

/** The address under which those past `limits.maxFailureAddresses` are counted together. */
const otherAddresses = 'others'
const otherReasons = 'other'

export interface FailureCount {
  readonly minute: number
  readonly address: string
  readonly reason: string
  n: number
}

/**
 * Who may still be appended singly, and the counts not stored yet. In memory only: after a restart an address may be
 * appended singly up to the limit once more, and counts of the last moment before a crash are lost, never entries.
 */
export class FailureCounter {
  #minute = -1
  readonly #seen = new Map<string, number>()
  #unstored = new Map<string, FailureCount>()
  readonly #maxSinglePerMinute: number

  /** `maxSinglePerMinute`: entries of one address in a minute, before they are counted. */
  constructor(maxSinglePerMinute: number) {
    this.#maxSinglePerMinute = maxSinglePerMinute
  }

  /** True: append it singly. False: it has been counted instead. */
  admit(address: string, reason: string, now: number): boolean {
    const key = this.#keyOf(address, now)
    const seen = (this.#seen.get(key) ?? 0) + 1
    this.#seen.set(key, seen)
    if (seen <= this.#maxSinglePerMinute) return true
    this.count(address, reason, now)
    return false
  }

  count(address: string, reason: string, now: number): void {
    const counted = {
      minute: minuteOf(now),
      address: this.#keyOf(address, now),
      reason: reason.slice(0, limits.maxFailureNameLength),
      n: 1,
    }
    this.giveBack([counted])
  }

  take(): FailureCount[] {
    const counts = [...this.#unstored.values()]
    this.#unstored = new Map()
    return counts
  }

  /** After a commit that failed: counted twice at worst, never lost. */
  giveBack(counts: readonly FailureCount[]): void {
    for (const count of counts) {
      const key = JSON.stringify([count.minute, count.address, count.reason])
      const known = this.#unstored.get(key)
      if (known) known.n += count.n
      else this.#unstored.set(key, { ...count })
    }
  }

  #keyOf(address: string, now: number): string {
    if (minuteOf(now) !== this.#minute) {
      this.#minute = minuteOf(now)
      this.#seen.clear()
    }
    const name = address.slice(0, limits.maxFailureNameLength)
    return this.#seen.has(name) || this.#seen.size < limits.maxFailureAddresses ? name : otherAddresses
  }
}

export function storeFailureCounts(sql: LogSql, counts: readonly FailureCount[]): void {
  for (const { minute, address, reason, n } of counts) {
    sql.exec(
      `insert into failure_count (minute, address, reason, n) values (?, ?, ?, ?)
       on conflict (minute, address, reason) do update set n = n + excluded.n`,
      minute,
      address,
      reason,
      n,
    )
  }
}

export const hasFailureCounts = (sql: LogSql, beforeMinute: number): boolean =>
  sql.exec('select 1 from failure_count where minute < ? limit 1', beforeMinute).length > 0

/**
 * One entry for each address and finished minute, at most `limits.maxFailuresPerCommit`, listing each reason with its
 * count. Removes the counts: to be called in the commit that appends the entries, so that each is counted once.
 */
export function takeFinishedCounts(sql: LogSql, now: number): AppendRequest[] {
  const groups = sql.exec(
    'select distinct minute, address from failure_count where minute < ? order by minute, address limit ?',
    minuteOf(now),
    limits.maxFailuresPerCommit,
  )
  return groups.map((group) => {
    const minute = group.minute as number
    const address = group.address as string
    const rows = sql.exec(
      'select reason, n from failure_count where minute = ? and address = ? order by n desc, reason',
      minute,
      address,
    )
    sql.exec('delete from failure_count where minute = ? and address = ?', minute, address)
    return countedRequest(
      minute,
      address,
      rows.map((row) => [row.reason as string, row.n as number]),
    )
  })
}

function countedRequest(
  minute: number,
  address: string,
  counts: readonly (readonly [string, number])[],
): AppendRequest {
  const told = new Map(counts.slice(0, limits.maxFailureReasons))
  for (const [, n] of counts.slice(limits.maxFailureReasons))
    told.set(otherReasons, (told.get(otherReasons) ?? 0) + n)
  const total = counts.reduce((sum, [, n]) => sum + n, 0)
  const requestId = randomUUID()
  const counted = countedAccess('counted-failures', requestId, {
    minute: new Date(minute * minuteMs).toISOString(),
    count: String(total),
    ...Object.fromEntries(Array.from(told, ([reason, n]) => [`count:${reason}`, String(n)])),
  })
  const decision = { outcome: 'deny', reason: 'unauthenticated', detail: 'counted' } as const
  const entries = buildEntries({ ...counted, who: { ...nobody, address }, decision, status: 401 }, [], null)
  if (!entries.ok) throw new Error('a counted failure names no patient')
  return { requestId, phase: 'access', sequence: 0, entries: entries.value, once: [] }
}
