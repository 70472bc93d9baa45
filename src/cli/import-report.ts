/** What an import did: counts by resource type, and what was not taken with its reason. */
import type { Language } from '../local/client/language.ts'
import type { Effect, Publication } from '../local/client/publisher.ts'
import { importTexts } from './import-texts.ts'

export interface ImportReport {
  readonly files: number
  readonly counts: ReadonlyMap<string, Readonly<Record<Effect, number>>>
  readonly rejects: readonly FileReject[]
}

export interface FileReject {
  readonly file: string
  /** Place in the bundle, from 0; null: the file as a whole. */
  readonly entry: number | null
  readonly reason: string
}

export const emptyReport: ImportReport = { files: 0, counts: new Map(), rejects: [] }

/** The report with one more file. */
export function withFile(
  report: ImportReport,
  file: string,
  { effects, rejects }: Publication,
): ImportReport {
  const counts = new Map(report.counts)
  for (const { type, effect } of effects) {
    const count = counts.get(type) ?? { created: 0, updated: 0, unchanged: 0 }
    counts.set(type, { ...count, [effect]: count[effect] + 1 })
  }
  return {
    files: report.files + 1,
    counts,
    rejects: [...report.rejects, ...rejects.map(({ entry, reason }) => ({ file, entry, reason }))],
  }
}

const columns = ['created', 'updated', 'unchanged'] as const satisfies readonly Effect[]

/** A table by resource type, in alphabetical order, with totals. */
export function summaryTable({ counts }: ImportReport, language: Language): string {
  const text = importTexts[language]
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  const total = (effect: Effect): number => rows.reduce((sum, [, count]) => sum + count[effect], 0)
  const cells = [
    ['', ...columns.map((effect) => text.effects[effect])],
    ...rows.map(([type, count]) => [type, ...columns.map((effect) => String(count[effect]))]),
    [text.total, ...columns.map((effect) => String(total(effect)))],
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
  return cells.map(line).join('\n')
}

/** One line for each reject: file, place, reason. */
export function rejectList({ rejects }: ImportReport, language: Language): readonly string[] {
  const text = importTexts[language]
  return rejects.map(({ file, entry, reason }) => {
    const place = entry === null ? file : `${file} ${text.entry(entry)}`
    return `${place}${text.colon}${reason}`
  })
}
