/** Upkeep of the local databases: publications interrupted between their steps, and persons joined elsewhere. */
import { limits } from '../limits.ts'
import type { Reader, Writer } from '../store/ports.ts'
import { dropPending, finishLocal, type PendingWrite, pendingWrite, waitingWith } from './documents-local.ts'
import { latestVersion, latestVersions } from './documents-sql.ts'
import { copySourceRecords, sourceRecordRow, sourceRecordsOf } from './source-records.ts'

/**
 * Finishes or drops pending documents older than `limits.settleAfterMs`, by whether *records* has the key of their write;
 * it is aborted there before they are dropped. Rejects with `StoreError`; what was settled stays settled.
 *
 * @param now milliseconds since 1970
 */
export async function settlePending(
  records: Writer,
  local: Writer,
  now: number,
): Promise<{ readonly finished: number; readonly dropped: number }> {
  const [writes = []] = await local.read([
    {
      sql: `
        select write_key, facility, published from pending
        where at < :before and at >= :after group by write_key order by min(at) limit :count`,
      args: {
        before: now - limits.settleAfterMs,
        // Older keys are forgotten: whether such a write was decided cannot be told, so its documents stay as they are.
        after: now - limits.writeKeyMemoryMs + limits.settleAfterMs,
        count: limits.maxSettledWrites,
      },
    },
  ])
  let dropped = 0
  for (const write of writes.map(pendingWrite)) {
    const { key } = write
    if (await records.abort(key)) {
      await local.apply([dropPending(key)])
      dropped++
    } else await finishDecided(records, local, [write])
  }
  return { finished: writes.length - dropped, dropped }
}

/**
 * Finishes those pending writes that *records* has decided, in the order of their decisions. The others stay.
 *
 * @param before clock of *records*: only what was decided before it
 * @returns how many were finished
 */
export async function finishDecided(
  records: Writer,
  local: Writer,
  writes: readonly PendingWrite[],
  before: number = Number.MAX_SAFE_INTEGER,
): Promise<number> {
  if (writes.length === 0) return 0
  const byKey = new Map(writes.map((write) => [write.key, write]))
  const [decisions = []] = await records.read([
    {
      sql: `
        select key, clock from write_key
        where key in (select value from json_each(:keys)) and aborted = 0 and clock < :before order by clock`,
      args: { keys: JSON.stringify([...byKey.keys()]), before },
    },
  ])
  for (const { key, clock } of decisions) {
    const write = byKey.get(key as string)
    if (write) await finish(records, local, write, Number(clock))
  }
  return decisions.length
}

/**
 * Before the last step of a write: finishes what was decided earlier and still waits with some of the same documents.
 * Finished after it, that would put older content on top. What is decided later finds this one waiting, or finished.
 *
 * @param decidedAt clock of *records* at which the write was decided
 */
export async function finishEarlier(
  records: Writer,
  local: Writer,
  key: string,
  decidedAt: number,
): Promise<void> {
  const [waiting = []] = await local.read([waitingWith(key)])
  await finishDecided(records, local, waiting.map(pendingWrite), decidedAt)
}

async function finish(records: Writer, local: Writer, write: PendingWrite, decidedAt: number): Promise<void> {
  await finishEarlier(records, local, write.key, decidedAt)
  const [rows = []] = await local.read([
    {
      sql: `
        select r.value ->> 0 as type, r.value ->> 1 as id, r.value ->> 2 as source_record
        from pending as w cross join json_each(w.documents) as r where w.write_key = :key`,
      args: { key: write.key },
    },
  ])
  const ids = rows.map(({ type, id }) => [type as string, id as string])
  const sources = new Set(rows.map(({ source_record }) => source_record as string))
  const [latest = [], sourceRecords = []] = await records.read([
    latestVersions(JSON.stringify(ids)),
    sourceRecordsOf([...sources]),
  ])
  const decided = { latest: latest.map(latestVersion), sourceRecords: sourceRecords.map(sourceRecordRow) }
  await finishLocal(local, write, decided, [])
}

/**
 * Copies source records that *records* has changed after `sinceClock` into a local database, and moves the documents of
 * joined persons. Idempotent.
 *
 * @returns the clock up to which the copy is now complete: what to pass next time
 */
export async function refreshLocalSourceRecords(
  records: Reader,
  local: Writer,
  sinceClock: number,
): Promise<number> {
  const count = limits.maxCopiedSourceRecords
  const [clockRows = [], changed = []] = await records.read([
    { sql: 'select n from clock' },
    {
      sql: 'select id, clock from source_record where clock > :since order by clock limit :count',
      args: { since: sinceClock, count },
    },
  ])
  // A full page may end inside a write: its last clock is left for the next round.
  const last = changed.length === count ? Number(changed.at(-1)?.clock) : null
  const complete = changed.filter(({ clock }) => last === null || Number(clock) < last)
  if (complete.length > 0) {
    const [rows = []] = await records.read([sourceRecordsOf(complete.map(({ id }) => id as string))])
    await local.apply(copySourceRecords(rows.map(sourceRecordRow), null))
  }
  return last === null ? Number(clockRows[0]?.n) : last - 1
}
