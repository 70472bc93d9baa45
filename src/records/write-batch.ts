/** One write batch at the primary of *records*, and what it came to. */
import type { Rows, Statement, Writer } from '../store/ports.ts'

export interface Batch {
  /** Request id: sent twice, the batch is applied once. */
  readonly key: string
  /** Source records of the persons it is about: noted with the key, so that an outcome settled later names them. */
  readonly sources?: readonly string[]
  readonly statements: readonly Statement[]
  /** They run after the statements, and again when the batch had committed before. */
  readonly outcome: readonly Statement[]
}

export interface BatchOutcome {
  /** `Dossier-Clock` of the write: `<epoch>.<n>`. */
  readonly clock: string
  /** Rows that carry it were begun or ended by this very batch. */
  readonly writeClock: number
  /** One per outcome statement. */
  readonly rows: readonly Rows[]
}

/** Rejects with `StoreError`. */
export async function writeBatch(
  writer: Writer,
  { key, sources = [], statements, outcome }: Batch,
): Promise<BatchOutcome> {
  const told = [clockOf(key), ...outcome]
  const { replayed, rows } = await writer.write(key, [...statements, ...notePersons(key, sources), ...told])
  // Of a batch that had committed before, the rows are read again.
  const [[clock = {}] = [], ...outcomes] = replayed ? await writer.read(told) : rows.slice(-told.length)
  return {
    clock: `${clock.epoch}.${clock.n}`,
    writeClock: Number(clock.write_clock),
    rows: outcomes,
  }
}

const clockOf = (key: string): Statement => ({
  sql: 'select epoch, n, (select clock from write_key where key = :key) as write_clock from clock',
  args: { key },
})

const notePersons = (key: string, sources: readonly string[]): readonly Statement[] =>
  sources.length === 0
    ? []
    : [
        {
          sql: `
            update write_key set persons = (
              select json_group_array(distinct s.person) from json_each(:sources) as i
              join source_record as s on s.id = i.value)
            where key = :key`,
          args: { key, sources: JSON.stringify(sources) },
        },
      ]
