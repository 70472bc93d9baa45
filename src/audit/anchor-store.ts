/** `log_anchor` in *records*: the newest checkpoint of a log, remembered by the replicas of every region. */
import { limits } from '../limits.ts'
import type { Reader, Writer } from '../store/ports.ts'
import type { OutsideView, SignedCheckpoint } from './outside-store.ts'

export interface AnchorStore {
  view(log: string): Promise<OutsideView | null>
  put(log: string, checkpoint: SignedCheckpoint): Promise<void>
}

export function anchorStore(replica: Reader, primary: Pick<Writer, 'apply'>): AnchorStore {
  return {
    view: async (log) => {
      const statement = { sql: 'select size, note from log_anchor where log = ?', args: [log] }
      const [[row] = []] = await replica.read([statement], limits.anchorDeadlineMs)
      return row ? { entries: null, checkpoint: { size: Number(row.size), note: row.note as string } } : null
    },
    put: async (log, { size, note }) => {
      const sql = `insert into log_anchor (log, size, note) values (?, ?, ?)
                     on conflict (log) do update set size = excluded.size, note = excluded.note`
      await primary.apply([{ sql, args: [log, size, note] }], limits.writeDeadlineMs)
    },
  }
}
