/** What a log remembers of appends, beside the entries: replies to repeat, keys used once, intents still open. */
import { limits } from '../limits.ts'
import type { LogSql } from './log-store.ts'
import type { AppendReply, AppendRequest, OpenIntent } from './port.ts'

/** Equal for a repeated append; a UUID and two short closed fields, so `/` cannot be forged into it. */
const keyOf = ({ requestId, phase, sequence }: AppendRequest): string => `${requestId}/${phase}/${sequence}`

export interface RememberedAppend {
  readonly reply: AppendReply
  /** SHA-256 over the entries of the first call. */
  readonly digest: Uint8Array
}

export function recallAppend(sql: LogSql, log: string, request: AppendRequest): RememberedAppend | null {
  const [row] = sql.exec(
    'select digest, first, count, hash, time from appended where key = ?',
    keyOf(request),
  )
  if (!row) return null
  const time = new Date(row.time as number).toISOString()
  const reply = { log, first: String(row.first), count: row.count as number, hash: row.hash as string, time }
  return { reply, digest: row.digest as Uint8Array }
}

export function rememberAppend(
  sql: LogSql,
  request: AppendRequest,
  digest: Uint8Array,
  { first, count, hash }: AppendReply,
  now: number,
): void {
  sql.exec(
    'insert into appended (key, digest, first, count, hash, time) values (?, ?, ?, ?, ?, ?)',
    keyOf(request),
    digest,
    Number(first),
    count,
    hash,
    now,
  )
  if (request.phase === 'outcome') {
    sql.exec('delete from open_intent where request_id = ?', request.requestId)
  } else if (request.phase === 'intent') {
    sql.exec(
      'insert or ignore into open_intent (request_id, time, access, organisation) values (?, ?, ?, ?)',
      request.requestId,
      now,
      request.entries[0]?.access ?? '',
      request.entries[0]?.organisation ?? null,
    )
  }
}

/** Forgets what is past its time: up to twice as much as `appends` added, so that it never falls behind nor stalls. */
export function forgetAppends(sql: LogSql, appends: number, now: number): void {
  const atMost = 2 * appends + 8
  sql.exec(
    'delete from appended where id in (select id from appended order by id limit ?) and time < ?',
    atMost,
    now - limits.appendMemoryMs,
  )
  sql.exec(
    'delete from once_key where key in (select key from once_key where until_ms < ? limit ?)',
    now,
    atMost,
  )
}

/** The first of these keys that was used before, or null after all of them have been marked used. */
export function useOnceKeys(sql: LogSql, once: AppendRequest['once'], now: number): string | null {
  for (const { key } of once) {
    const [row] = sql.exec('select until_ms from once_key where key = ?', key)
    if (row && (row.until_ms as number) >= now) return key
  }
  for (const { key, untilMs } of once) {
    sql.exec('insert or replace into once_key (key, until_ms) values (?, ?)', key, untilMs)
  }
  return null
}

/** Oldest first, at most `limits.maxOpenIntents`. */
export function overdueIntents(sql: LogSql, now: number): OpenIntent[] {
  const rows = sql.exec(
    'select request_id, access, organisation from open_intent where time <= ? order by time limit ?',
    now - limits.settleAfterMs,
    limits.maxOpenIntents,
  )
  return rows.map((row) => ({
    requestId: row.request_id as string,
    access: row.access as string,
    organisation: row.organisation as string | null,
  }))
}

export function countOpenIntents(sql: LogSql): number {
  return sql.exec('select count(*) as n from open_intent')[0]?.n as number
}
