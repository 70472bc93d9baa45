/**
 * `GET /audit/report`: the year's accesses for the minister (R-22.1, s. 103: those other than for care), by organisation, as a
 * file that names no patient. For privacy officers.
 */
import * as z from 'zod'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { ok, type Result } from '../result.ts'
import { type Columns, countAnswer } from './count-file.ts'
import { countedParts, type Period } from './counted-parts.ts'
import { type NoParam, officerRead } from './officer-read.ts'
import { ownOrganisation } from './own-organisation.ts'
import { type ReportLine, reportLines, sectionNames } from './report-lines.ts'
import { recordsSections } from './report-sections.ts'

const query = z.strictObject({
  year: z.string().regex(/^2\d{3}$/),
  /** Absent: the officer's own; of the officer of the whole record, all. */
  organisation: z.string().min(1).max(limits.maxEntryTextBytes).optional(),
  format: z.enum(['json', 'csv']).default('json'),
})

type Context = OperationContext<NoParam, z.infer<typeof query>>

/** Names the layout of the JSON file: `docs/trail.md`. */
const formatId = 'dossier-report/1'

export const yearlyReport: Operation<NoParam, z.infer<typeof query>> = {
  ...officerRead,
  name: 'yearly-report',
  path: '/audit/report',
  query,
  mediaTypes: ['application/json', 'text/csv'],
  handle,
}

async function handle(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const { year, format } = ctx.query
  const whose = ownOrganisation(permitted.value.caller, ctx.query.organisation)
  if (!whose.ok) return whose
  const organisation = whose.value
  const period = yearOf(year)
  const loaded = await ctx.load(() => ({
    records: recordsSections.map(({ statement }) => statement(period, organisation)),
  }))
  if (!loaded.ok) return loaded
  const parts = await countedParts(ctx, period)
  if (!parts.ok) return parts
  const header = {
    format: formatId,
    time: new Date(ctx.now).toISOString(),
    year,
    ...period,
    organisation,
    sections: sectionNames,
  }
  const pages = reportLines({
    ledger: ctx.ledger,
    parts: parts.value,
    organisation,
    records: loaded.value.records,
  })
  const file = { header, parts: parts.value, columns, pages }
  const note = { year, ...(organisation === null ? {} : { organisation }) }
  return ok(countAnswer(format, file, { id: crypto.randomUUID(), name: `report-${year}`, note }))
}

/** As Québec counts it: in January its clocks are five hours behind UTC. */
const yearOf = (year: string): Period => ({
  from: `${year}-01-01T05:00:00.000Z`,
  to: `${Number(year) + 1}-01-01T05:00:00.000Z`,
})

const columns: Columns<ReportLine> = [
  ['section', ({ section }) => section],
  ['organisation', ({ organisation }) => organisation],
  ['action', ({ action }) => action],
  ['purpose', ({ purpose }) => purpose],
  ['outcome', ({ outcome }) => outcome],
  ['reason', ({ reason }) => reason],
  ['filters', ({ filters }) => filters],
  ['count', ({ count }) => count],
]
