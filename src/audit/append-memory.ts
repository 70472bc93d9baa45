/** What a log remembers of appends, beside the entries: replies to repeat, keys used once, intents still open. */
import { limits } from '../limits.ts'
import { insertRows, type LogSql } from './log-store.ts'
import type { AppendReply, AppendRequest, OpenIntent } from './port.ts'

/** Equal for a repeated append; a UUID and two short closed fields, so `/` cannot be forged into it. */
export const appendKey = ({ requestId, phase, sequence }: AppendRequest): string =>
  `${requestId}/${phase}/${sequence}`

export interface RememberedAppend {
  readonly reply: AppendReply
  /** SHA-256 over the entries of the first call. */
  readonly digest: Uint8Array
}

/** Of these appends the ones that were made before, by their keys. */
export function recallAppends(
  sql: LogSql,
  log: string,
  requests: readonly AppendRequest[],
): Map<string, RememberedAppend> {
  const rows = sql.exec(
    `select appended.key, digest, first, count, hash, time
       from json_each(?) as wanted cross join appended on appended.key = wanted.value`,
    JSON.stringify(requests.map(appendKey)),
  )
  return new Map(
    rows.map((row) => {
      const { key, digest, hash, count } = row as {
        key: string
        digest: Uint8Array
        hash: string
        count: number
      }
      const time = new Date(row.time as number).toISOString()
      return [key, { reply: { log, first: String(row.first), count, hash, time }, digest }]
    }),
  )
}

export function rememberAppends(
  sql: LogSql,
  appends: ReadonlyMap<string, RememberedAppend>,
  now: number,
): void {
  const rows = Array.from(
    appends,
    ([
      key,
      {
        digest,
        reply: { first, count, hash },
      },
    ]) => [key, digest, Number(first), count, hash, now],
  )
  insertRows(sql, 'insert into appended (key, digest, first, count, hash, time) values', rows, '')
}

/** An intent is open until its outcome. */
export function noteIntent(sql: LogSql, { requestId, phase, entries }: AppendRequest, now: number): void {
  if (phase === 'outcome') {
    sql.exec('delete from open_intent where request_id = ?', requestId)
  } else if (phase === 'intent') {
    sql.exec(
      'insert or ignore into open_intent (request_id, time, access, organisation) values (?, ?, ?, ?)',
      requestId,
      now,
      entries[0]?.access ?? '',
      entries[0]?.organisation ?? null,
    )
  }
}

/** Forgets what is past its time: up to twice as much as a commit added, so that it never falls behind nor stalls. */
export function forgetAppends(sql: LogSql, requests: readonly AppendRequest[], now: number): void {
  sql.exec(
    'delete from appended where id in (select id from appended order by id limit ?) and time < ?',
    atMost(requests.length),
    now - limits.appendMemoryMs,
  )
  const keys = requests.reduce((sum, { once }) => sum + once.length, 0)
  if (keys === 0) return
  sql.exec(
    'delete from once_key where key in (select key from once_key where until_ms < ? limit ?)',
    now,
    atMost(keys),
  )
}

const atMost = (added: number): number => 2 * added + 8

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

/** Those begun at `before` or earlier; oldest first, at most `limits.maxOpenIntents`. */
export function openIntentsBefore(sql: LogSql, before: number): OpenIntent[] {
  const rows = sql.exec(
    'select request_id, access, organisation from open_intent where time <= ? order by time limit ?',
    before,
    limits.maxOpenIntents,
  )
  return rows.map((row) => ({
    requestId: row.request_id as string,
    access: row.access as string,
    organisation: row.organisation as string | null,
  }))
}

/** Of a log that ended, to be settled here. */
export function adoptIntents(sql: LogSql, intents: readonly OpenIntent[], now: number): void {
  const rows = intents.map(({ requestId, access, organisation }) => [requestId, now, access, organisation])
  const head = 'insert or ignore into open_intent (request_id, time, access, organisation) values'
  insertRows(sql, head, rows, '')
}

export function countOpenIntents(sql: LogSql): number {
  return sql.exec('select count(*) as n from open_intent')[0]?.n as number
}
