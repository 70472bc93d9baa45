/** The lines of a yearly report. Memory holds a line for each group that a section tells apart. */
import { limits } from '../limits.ts'
import type { Reader, Rows } from '../store/ports.ts'
import type { CountedPart } from './counted-parts.ts'
import { accessGroups } from './report-groups.ts'
import { logSections, type ReportKey, recordsSections } from './report-sections.ts'

export interface ReportLine extends ReportKey {
  readonly section: string
  readonly count: number
}

export interface ReportSource {
  readonly ledger: Reader
  readonly parts: readonly CountedPart[]
  /** Null: all of them. */
  readonly organisation: string | null
  /** What the statements of `recordsSections` gave, in order. */
  readonly records: readonly Rows[]
}

/** Without a body: redacted, or let go by a policy of retention. Only of all the logs can this be told. */
export const withoutBody = 'without-body'

export const sectionNames: readonly string[] = [
  ...logSections.map(({ name }) => name),
  ...recordsSections.map(({ name }) => name),
  withoutBody,
]

/** Lines when all is counted; an empty page tells that a window of the log was. */
export async function* reportLines({
  ledger,
  parts,
  organisation,
  records,
}: ReportSource): AsyncGenerator<readonly ReportLine[]> {
  const counts = logSections.map(() => new Map<string, { key: ReportKey; count: number }>())
  const missing = new Map<string, number>()
  for await (const { log, groups, indices, entries } of accessGroups(ledger, parts, organisation)) {
    for (const group of groups)
      for (const [i, { keyOf }] of logSections.entries()) {
        const key = keyOf(group)
        if (key) add(counts[i] as (typeof counts)[number], key, group.count)
      }
    missing.set(log, (missing.get(log) ?? 0) + indices - entries)
    yield []
  }
  for (const [i, { name }] of logSections.entries())
    yield sorted(
      [...(counts[i] as (typeof counts)[number]).values()].map(({ key, count }) => ({
        section: name,
        ...key,
        count,
      })),
    )
  for (const [i, { name, keyOf }] of recordsSections.entries())
    yield sorted(
      (records[i] ?? []).map((row) => ({ section: name, ...keyOf(row), count: Number(row.count) })),
    )
  if (organisation === null)
    yield [...missing].map(([log, count]) => ({
      section: withoutBody,
      ...nobodys,
      filters: `log=${log}`,
      count,
    }))
}

const nobodys: ReportKey = {
  organisation: null,
  action: null,
  purpose: null,
  outcome: null,
  reason: null,
  filters: null,
}

/** Past the bound, of each organisation one line for all further ones: whoever asks for much must not keep a report from being made. */
function add(counts: Map<string, { key: ReportKey; count: number }>, key: ReportKey, count: number): void {
  const found = counts.get(nameOf(key))
  const rest = { ...nobodys, organisation: key.organisation }
  if (found) found.count += count
  else if (counts.size < limits.maxCountedGroups) counts.set(nameOf(key), { key, count })
  else counts.set(nameOf(rest), { key: rest, count: (counts.get(nameOf(rest))?.count ?? 0) + count })
}

const nameOf = ({ organisation, action, purpose, outcome, reason, filters }: ReportKey): string =>
  JSON.stringify([organisation, action, purpose, outcome, reason, filters])

/** So that a second count of the same entries gives the same file. */
const sorted = (lines: readonly ReportLine[]): readonly ReportLine[] =>
  lines
    .map((line) => [JSON.stringify(line), line] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, line]) => line)
