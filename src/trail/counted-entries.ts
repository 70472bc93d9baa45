/** Entries as a count reads them: some facts of each, page by page along an index, never the entries themselves. */
import { limits } from '../limits.ts'
import type { Reader, Row, SqlValue, Statement } from '../store/ports.ts'
import type { CountedPart } from './counted-parts.ts'
import { readPage } from './export-rows.ts'

export interface CountedEntry {
  readonly index: number
  readonly requestId: string
  readonly phase: string
  readonly part: number
  readonly action: string
  readonly operation: string
  readonly outcome: string
  readonly purpose: string | null
  /** Person id. */
  readonly patient: string | null
  readonly practitioner: string | null
  readonly name: string | null
  readonly role: string | null
  readonly facility: string | null
  readonly organisation: string | null
  readonly isEmergency: boolean
}

/** Where an entry says them; of the emergency, its reason. */
const paths = {
  requestId: '$.access.requestId',
  phase: '$.access.phase',
  part: '$.access.part',
  action: '$.access.action',
  operation: '$.access.operation',
  outcome: '$.access.decision.outcome',
  purpose: '$.access.purpose',
  patient: '$.access.patient',
  practitioner: '$.access.who.practitioner',
  name: '$.access.who.name',
  role: '$.access.who.role',
  facility: '$.access.who.facility',
  organisation: '$.access.who.organisation',
  isEmergency: '$.access.breakGlassReason',
} as const satisfies Record<Exclude<keyof CountedEntry, 'index'>, string>

const names = Object.keys(paths)

/** One list for each entry, which is parsed once and travels as one value. */
const facts = `json_extract(b.entry, ${Object.values(paths)
  .map((path) => `'${path}'`)
  .join(', ')})`

function countedEntry({ idx, facts: told }: Row): CountedEntry {
  const values = JSON.parse(told as string) as readonly unknown[]
  const said = Object.fromEntries(names.map((name, i) => [name, values[i]])) as unknown as CountedEntry
  return { ...said, index: Number(idx), isEmergency: said.isEmergency !== null }
}

/** The next entries of `log` with indices in [`from`, `end`), in order. */
export type PageOf = (log: string, from: number, end: number) => Statement

/** Those of one organisation, or of one professional: a range of that index. */
export const pageBy =
  (column: 'organisation' | 'practitioner', value: string): PageOf =>
  (log, from, end) => ({
    sql: `select b.idx as idx, ${facts} as facts from ledger_body as b indexed by ledger_body_${column}
           where b.${column} = ? and b.log = ? and b.idx >= ? and b.idx < ? order by b.idx limit ?`,
    args: [value, log, from, end, limits.accountingPageRows] satisfies SqlValue[],
  })

/** Those by which professionals of anyone but this organisation had to do with a patient: all of [`from`, `end`). */
export const pageOfOthers =
  (organisation: string): PageOf =>
  (log, from, end) => ({
    sql: `select b.idx as idx, ${facts} as facts from ledger_body as b
           where b.log = ? and b.idx >= ? and b.idx < ?
             and b.practitioner is not null and b.patient is not null and b.organisation is not ?
           order by b.idx`,
    args: [log, from, end, organisation],
  })

/** Pages along an index, each as long as the limit lets it be. */
export async function* walk(
  ledger: Reader,
  parts: readonly CountedPart[],
  pageOf: PageOf,
): AsyncGenerator<readonly CountedEntry[]> {
  for (const { log, first, end } of parts)
    for (let from = first; from < end; ) {
      const rows = await readPage(ledger, pageOf(log, from, end))
      const last = rows.at(-1)
      if (!last) break
      yield rows.map(countedEntry)
      from = Number(last.idx) + 1
    }
}

/** Windows of indices, however few entries of each are wanted: none makes the database look further. */
export async function* walkWindows(
  ledger: Reader,
  parts: readonly CountedPart[],
  pageOf: PageOf,
): AsyncGenerator<readonly CountedEntry[]> {
  for (const { log, from, end } of windowsOf(parts, limits.accountingPageRows))
    yield (await readPage(ledger, pageOf(log, from, end))).map(countedEntry)
}

export function* windowsOf(
  parts: readonly CountedPart[],
  width: number,
): Generator<{ readonly log: string; readonly from: number; readonly end: number }> {
  for (const { log, first, end } of parts)
    for (let from = first; from < end; from += width) yield { log, from, end: Math.min(from + width, end) }
}

/** Whether an entry ends an access: a read, a refusal, or what came of a write. Its other parts are of the same. */
export const isAccess = ({ phase, part }: CountedEntry): boolean =>
  (phase === 'access' || phase === 'outcome') && part === 1

/** Tells the first entry about a patient in an access from what continues it, over entries in their order. */
export class Continuations {
  #last: CountedEntry | null = null

  isFirst(entry: CountedEntry): boolean {
    const last = this.#last
    this.#last = entry
    return (
      last === null ||
      last.requestId !== entry.requestId ||
      last.patient !== entry.patient ||
      last.phase !== entry.phase ||
      last.part + 1 !== entry.part
    )
  }
}
