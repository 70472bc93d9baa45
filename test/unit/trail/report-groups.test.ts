/** What somebody who asks for much, or in words of their own, could do to the minister's report. */
import { describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import type { Reader, Statement } from '../../../src/store/ports.ts'
import { type ReportLine, reportLines } from '../../../src/trail/report-lines.ts'

/** Exports as the ledger groups them, in windows of one statement each. */
async function exportsReported(
  notes: readonly Readonly<Record<string, string>>[],
  reason = 'privacy-officer',
): Promise<readonly ReportLine[]> {
  const width = limits.reportWindowEntries
  const ledger: Reader = {
    read: async (statements) => {
      const { args } = statements[0] as Statement
      const [, from, end] = args as readonly [string, number, number]
      const rows = notes.slice(from, end).map((note) => ({
        organisation: 'o1',
        action: 'export',
        outcome: 'permit',
        purpose: null,
        reason,
        emergency: 0,
        pruning: 0,
        note: JSON.stringify(note),
        counted: 1,
        entries: 1,
        accesses: 1,
      }))
      expect(rows.length).toBeLessThanOrEqual(width)
      return [rows]
    },
  }
  const part = { log: 'east', first: 0, end: notes.length, size: notes.length, root: '', checkpoint: '' }
  const lines: ReportLine[] = []
  for await (const page of reportLines({
    ledger,
    parts: [{ ...part, prunedBefore: null }],
    organisation: 'o1',
    records: [],
  }))
    lines.push(...page.filter(({ section }) => section === 'exports'))
  return lines
}

describe('exports in the yearly report', () => {
  test('never keep it from being made, however many different ones there were, and each is counted', async () => {
    const more = 500
    const notes = Array.from({ length: limits.maxCountedGroups + more }, (_, i) => ({
      format: 'csv',
      from: `2026-01-01T00:00:00.${i}Z`,
    }))
    const lines = await exportsReported(notes)
    expect(lines).toHaveLength(limits.maxCountedGroups + 1)
    expect(lines.filter(({ filters }) => filters === null)).toEqual([
      expect.objectContaining({ organisation: 'o1', action: null, reason: null, count: more }),
    ])
  })

  test.each(['patient', 'guardian'])(
    'of their own trail tell nothing of what was looked for: %s',
    async (who) => {
      const lines = await exportsReported(
        [
          { format: 'fhir', patient: 'p1', practitioner: 'Dr No', action: '=HYPERLINK("x")' },
          { format: 'fhir', patient: 'p2', from: '2026-01-01T00:00:00.000Z' },
        ],
        who,
      )
      expect(lines.map(({ filters, count }) => [filters, count])).toEqual([['format=fhir patient', 2]])
    },
  )

  test('by somebody’s name tell that there was one, not whose', async () => {
    const [line] = await exportsReported([
      { format: 'csv', action: 'read', practitioner: 'TREM12345678', patient: 'p' },
    ])
    expect(line?.filters).toBe('format=csv action=read practitioner patient')
  })
})
