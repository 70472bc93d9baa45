/** What may be asked of an export, and what of it goes into the file and the log. */
import * as z from 'zod'
import { logName, logPosition } from '../audit/log-name.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { FixedLog } from './export-logs.ts'
import type { Wanted } from './export-parts.ts'
import { instant, utc } from './instant.ts'
import type { EntryFilter } from './ledger-sql.ts'

const log = z.string().regex(logName)
/** `<log>/<index>` */
const entryPlace = /^[a-z0-9][a-z0-9-]{0,62}\/(0|[1-9][0-9]{0,14})$/
const text = z.string().min(1).max(limits.maxEntryTextBytes)
/** `<log>:<size>`, repeatable. */
const position = z.string().regex(logPosition)
const positions = z.union([position, z.array(position).max(limits.maxExportPositions)])

export const exportQuery = z
  .strictObject({
    /** Repeatable; none: all logs there are. */
    log: z.union([log, z.array(log).max(limits.maxExportLogs)]).optional(),
    /** The period: at or after `from`, before `to`. */
    from: instant.optional(),
    to: instant.optional(),
    patient: text.optional(),
    practitioner: text.optional(),
    organisation: text.optional(),
    action: text.optional(),
    outcome: z.enum(['permit', 'deny', 'error']).optional(),
    facility: text.optional(),
    /** Tag of the decision, e.g. `shared-domain`. */
    reason: text.optional(),
    /** Only what an emergency opened, or was to open. */
    'break-glass': z.literal('true').optional(),
    /** Sizes to stop at, as an earlier export did. */
    until: positions.optional(),
    /** Sizes whose checkpoints the requester has: the file proves that each log only grew since. */
    known: positions.optional(),
    /** Absent: `ndjson`. */
    format: z.enum(['ndjson', 'csv', 'fhir']).optional(),
    /** Goes on with an export that broke off, after the entry `<log>/<index>`: with nothing else beside. */
    _cursor: z.string().max(limits.maxExportCursorLength).optional(),
    after: z.string().regex(entryPlace).optional(),
  })
  .refine(({ _cursor, after, ...rest }) => isWhole(_cursor, after, Object.values(rest)), {
    path: ['_cursor'],
    message: 'goes with `after`, and with nothing else',
  })
  .refine(({ from, to }) => from === undefined || to === undefined || utc(from) <= utc(to), {
    path: ['to'],
    message: 'before `from`',
  })

/** Whether it is a question of its own, or goes on with one and asks nothing beside. */
function isWhole(cursor: string | undefined, after: string | undefined, rest: readonly unknown[]): boolean {
  if (cursor === undefined || after === undefined) return cursor === after
  return !rest.some(isAsked)
}

export type ExportQuery = z.infer<typeof exportQuery>

export const filterOf = (query: ExportQuery): EntryFilter => {
  const { patient, practitioner, organisation, action, outcome, facility, reason } = query
  const breakGlass = query['break-glass'] === undefined ? undefined : true
  return { patient, practitioner, organisation, action, outcome, facility, reason, breakGlass }
}

export const isAsked = (value: unknown): boolean => value !== undefined

/** Of `until` and `known`: one size for a log of this export. */
export function positionsOf(
  { until, known }: ExportQuery,
  logs: readonly FixedLog[],
): Result<Pick<Wanted, 'until' | 'known'>, Refusal> {
  const sizesOf = (positions: ExportQuery['until']): ReadonlyMap<string, number> =>
    new Map(
      [positions ?? []].flat().map((position) => {
        const [log = '', size] = position.split(':')
        return [log, Number(size)]
      }),
    )
  const sizes = { until: sizesOf(until), known: sizesOf(known) }
  const covered = new Map(logs.map(({ log, size }) => [log, size]))
  for (const name of ['until', 'known'] as const)
    for (const [log, size] of sizes[name]) {
      const now = covered.get(log)
      if (now === undefined) return err(invalidPosition(name, `${log}`))
      if (name === 'until' && size > now) return err(invalidPosition(name, `${log}:${size} > ${now}`))
    }
  return ok(sizes)
}

const invalidPosition = (name: string, got: string): Refusal => ({
  reason: 'invalid',
  issues: [
    {
      code: 'value',
      expression: name,
      text: {
        fr: `${name} nomme un journal de cette exportation et une taille qu’il a déjà : ${got}.`,
        en: `${name} names a log of this export and a size that it already has: ${got}.`,
      },
    },
  ],
})

/** The filters as strings, for the file's header and the export's own entry. */
export function toldFilters({ known: _, ...query }: ExportQuery): Record<string, string> {
  const told = Object.entries(query).filter(([, value]) => isAsked(value))
  return Object.fromEntries(
    told.map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : String(value)]),
  )
}
