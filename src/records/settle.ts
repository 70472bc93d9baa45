/** Upkeep of the local databases: publications interrupted between their steps, and persons joined elsewhere. */
import { limits } from '../limits.ts'
import type { Reader, Writer } from '../store/ports.ts'
import { finishLocal, type PendingWrite, pendingWrite } from './documents-local.ts'
import { latestVersion, latestVersions } from './documents-sql.ts'
import { copySourceRecords, sourceRecordRow, sourceRecordsOf } from './source-records.ts'

/**
 * Finishes or drops pending documents older than `limits.settleAfterMs`, by whether *records* has the key of their
 * write. Rejects with `StoreError`; what was settled stays settled.
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
  let finished = 0
  for (const write of writes.map(pendingWrite)) {
    const { key } = write
    if (await finishDecided(records, local, write)) finished++
    else await local.apply([{ sql: 'delete from pending where write_key = :key', args: { key } }])
  }
  return { finished, dropped: writes.length - finished }
}

/** Finishes a pending write that *records* has decided; says whether it has. Rejects with `StoreError`. */
export async function finishDecided(records: Writer, local: Writer, write: PendingWrite): Promise<boolean> {
  if (!(await records.hasWritten(write.key))) return false
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
  return true
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
