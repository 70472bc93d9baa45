/**
 * `GET /audit/export`: entries of the audit log with their proofs (`docs/audit-log.md` §4), streamed in the order of their
 * logs. The sizes are fixed when it begins, so the export's own entries are never in it; each patient it names is in the
 * log before the bytes that name them leave.
 */
import { z } from 'zod'
import type { CallerKind } from '../access/caller.ts'
import { logName, logPosition } from '../audit/log-name.ts'
import type { Disclosure, DisclosureStream, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { exportScope } from './export-asker.ts'
import { type ExportFormat, exportChunks } from './export-chunks.ts'
import type { Completeness, ExportHeader } from './export-format.ts'
import { type Chains, type FixedLog, fixLogs } from './export-logs.ts'
import { exportParts, type Wanted } from './export-parts.ts'
import { instant, utc } from './instant.ts'
import type { EntryFilter } from './ledger-sql.ts'
import { quorumOf } from './quorum.ts'

const log = z.string().regex(logName)
const text = z.string().min(1).max(limits.maxEntryTextBytes)
/** `<log>:<size>`, repeatable. */
const position = z.string().regex(logPosition)
const positions = z.union([position, z.array(position).max(limits.maxExportPositions)])

const query = z
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
    format: z.enum(['ndjson', 'csv', 'fhir']).default('ndjson'),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || utc(from) <= utc(to), {
    path: ['to'],
    message: 'before `from`',
  })
const param = z.object({})

type Query = z.infer<typeof query>
type Context = OperationContext<z.infer<typeof param>, Query>

export const auditExport: Operation<z.infer<typeof param>, Query> = {
  name: 'audit-export',
  method: 'GET',
  path: '/audit/export',
  action: 'export',
  callers: ['privacy-officer', 'patient', 'guardian'],
  scope: () => ({ type: 'AuditEvent', interaction: 's' }),
  param,
  query,
  handle: begin,
}

async function begin(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const scope = await exportScope(ctx)
  if (!scope.ok) return scope
  const { caller, persons, ...own } = scope.value
  const asked = { ...ctx.query, ...own }
  const filter = filterOf(asked)
  const chains = chainsOf(asked, persons)
  const names = asked.log === undefined ? [] : [asked.log].flat()
  const logs = await fixLogs(ctx, names, chains, quorumOf(ctx.logPolicy))
  if (!logs.ok) return logs
  const positions = positionsOf(asked, logs.value)
  if (!positions.ok) return positions
  const completeness = completenessOf(filter, chains, logs.value)
  const parts = await exportParts(ctx.ledger, logs.value, {
    ...positions.value,
    completeness,
    chains,
    from: asked.from === undefined ? null : utc(asked.from),
    to: asked.to === undefined ? null : utc(asked.to),
  })
  const header: ExportHeader = {
    exportId: crypto.randomUUID(),
    time: new Date(ctx.now).toISOString(),
    completeness,
    filters: toldFilters(asked),
    chains: completeness === `${chains?.kind}-chain` ? (chains?.keys ?? []) : [],
    logs: parts.map((part) => part.header),
    list: logs.value.find(({ list }) => list !== null)?.list ?? null,
  }
  const { format } = asked
  const filters = persons.length === 0 ? [filter] : persons.map((patient) => ({ ...filter, patient }))
  const chunks = exportChunks(ctx.ledger, { header, parts, filters, format, origin: ctx.origin })
  return ok(disclosureOf(header, format, caller, chunks))
}

const media: Readonly<Record<ExportFormat, readonly [contentType: string, extension: string]>> = {
  ndjson: ['application/x-ndjson; charset=utf-8', 'ndjson'],
  csv: ['text/csv; charset=utf-8; header=present', 'csv'],
  fhir: ['application/fhir+ndjson', 'fhir.ndjson'],
}

function disclosureOf(
  header: ExportHeader,
  format: ExportFormat,
  caller: CallerKind,
  chunks: DisclosureStream['chunks'],
): Disclosure {
  const { exportId, time, filters, logs } = header
  const [contentType, extension] = media[format]
  return {
    status: 200,
    contentType,
    headers: {
      'Content-Disposition': `attachment; filename="audit-${time.slice(0, 10)}-${exportId.slice(0, 8)}.${extension}"`,
    },
    body: { exportId, chunks },
    disclosed: [],
    reason: caller,
    note: {
      export: exportId,
      ...filters,
      ...Object.fromEntries(
        logs.map(({ log, first, end, size }) => [`log:${log}`, `[${first},${end})/${size}`]),
      ),
    },
  }
}

const filterOf = (query: Query): EntryFilter => {
  const { patient, practitioner, organisation, action, outcome, facility, reason } = query
  const breakGlass = query['break-glass'] === undefined ? undefined : true
  return { patient, practitioner, organisation, action, outcome, facility, reason, breakGlass }
}

const isAsked = (value: unknown): boolean => value !== undefined

/**
 * All of one person's chains, or of one organisation's, in every log and up to now; null: something else is asked for.
 *
 * @param persons the ids of `patient`
 */
function chainsOf(query: Query, persons: readonly string[]): Chains | null {
  const { log, from, to, until, patient, organisation } = query
  if ([log, from, to, until].some(isAsked)) return null
  if (Object.values(filterOf(query)).filter(isAsked).length !== 1) return null
  if (patient !== undefined) return { kind: 'patient', keys: persons }
  return organisation === undefined ? null : { kind: 'organisation', keys: [organisation] }
}

/** A chain is complete only where every log has said where it stands, and some log which logs there are. */
function completenessOf(filter: EntryFilter, chains: Chains | null, logs: readonly FixedLog[]): Completeness {
  if (!Object.values(filter).some(isAsked)) return 'range'
  const isWhole = logs.every(({ heads }) => heads !== null) && logs.some(({ list }) => list !== null)
  return chains !== null && isWhole ? `${chains.kind}-chain` : 'none'
}

/** Of `until` and `known`: one size for a log of this export. */
function positionsOf(
  { until, known }: Query,
  logs: readonly FixedLog[],
): Result<Pick<Wanted, 'until' | 'known'>, Refusal> {
  const sizesOf = (positions: Query['until']): ReadonlyMap<string, number> =>
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
function toldFilters({ known: _, ...query }: Query): Record<string, string> {
  const told = Object.entries(query).filter(([, value]) => isAsked(value))
  return Object.fromEntries(
    told.map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : String(value)]),
  )
}
