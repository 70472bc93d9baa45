/** Checkpoints of the audit database in time: all of the last day, then the newest of each hour, for good. */
import { limits } from '../limits.ts'
import type { Statement } from '../store/ports.ts'

/**
 * Removes what is past its time, which a trigger allows of nothing else. Proofs lose nothing by it: they are made of
 * tiles, from and to any size.
 *
 * @param now milliseconds since 1970
 */
export const thinningStatements = (now: number): Statement[] => [
  {
    sql: `delete from checkpoint
           where time < ? and exists (
             select 1 from checkpoint as newer
              where newer.log = checkpoint.log and newer.size > checkpoint.size
                and newer.time / 3600000 = checkpoint.time / 3600000)`,
    args: [now - limits.allCheckpointsMs],
  },
  // With it, where the database does not do so by itself.
  {
    sql: `delete from cosignature
           where not exists (
             select 1 from checkpoint where log = cosignature.log and size = cosignature.size)`,
  },
]
