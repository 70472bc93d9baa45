/**
 * `GET /audit/export`: entries of the audit log with their proofs (`docs/audit-log.md` §4), streamed in the order of their
 * logs. The sizes are fixed when it begins, so the export's own entries are never in it; each patient it names is in the
 * log before the bytes that name them leave.
 */
import * as z from 'zod'
import type { CallerKind } from '../access/caller.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { err, ok, type Result } from '../result.ts'
import { exportScope } from './export-asker.ts'
import { type ExportPlan, exportChunks } from './export-chunks.ts'
import type { Completeness, ExportFormat, ExportHeader } from './export-format.ts'
import { type Chains, type FixedLog, fixLogs } from './export-logs.ts'
import { exportParts } from './export-parts.ts'
import { type ExportQuery, exportQuery, filterOf, isAsked, positionsOf, toldFilters } from './export-query.ts'
import { type FixedExport, fixedLog, resumedParts, sealExport, unsealExport } from './export-resume.ts'
import { utc } from './instant.ts'
import type { EntryFilter } from './ledger-sql.ts'
import { quorumOf } from './quorum.ts'

const param = z.object({})

type Context = OperationContext<z.infer<typeof param>, ExportQuery>

export const auditExport: Operation<z.infer<typeof param>, ExportQuery> = {
  name: 'audit-export',
  method: 'GET',
  path: '/audit/export',
  action: 'export',
  callers: ['privacy-officer', 'patient', 'guardian'],
  scope: () => ({ type: 'AuditEvent', interaction: 's' }),
  param,
  query: exportQuery,
  mediaTypes: ['application/x-ndjson', 'text/csv', 'application/fhir+ndjson'],
  handle: (ctx) => (ctx.query._cursor === undefined ? begin(ctx) : goOn(ctx)),
}

async function begin(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const scope = await exportScope(ctx, ctx.query)
  if (!scope.ok) return scope
  const { caller, persons, ...own } = scope.value
  const asked = { ...ctx.query, ...own, format: ctx.query.format ?? 'ndjson' }
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
    own: own.patient === undefined ? [] : persons,
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
  const fixed: FixedExport = {
    exportId: header.exportId,
    time: header.time,
    format: asked.format,
    completeness,
    told: header.filters,
    filter,
    persons,
    logs: parts.map(fixedLog),
  }
  return ok(await disclosureOf(ctx, fixed, caller, { header, parts, after: null }))
}

/** The rest of an export that broke off, for whoever began it and may still have all of it. */
async function goOn(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { _cursor = '', after: place = '' } = ctx.query
  const fixed = await unsealExport(ctx, _cursor)
  if (fixed === null) return invalidCursor
  const { patient, organisation } = fixed.filter
  const scope = await exportScope(ctx, { patient, organisation })
  if (!scope.ok) return scope
  const { caller, persons } = scope.value
  // The same login may have another office by now, or none and a record of its own: what it is held to must be what it was.
  const isHeld = (filter: string | undefined, own: string | undefined): boolean =>
    own === undefined || own === filter
  const isOwn =
    isHeld(organisation, scope.value.organisation) &&
    isHeld(patient, scope.value.patient) &&
    // Records may have been parted since: what was one person's is not any more.
    fixed.persons.every((id) => persons.includes(id))
  const parts = resumedParts(ctx.ledger, fixed, place)
  if (!isOwn || parts === null) return invalidCursor
  return ok(await disclosureOf(ctx, fixed, caller, { header: null, parts, after: place }))
}

const invalidCursor: Result<never, Refusal> = err({
  reason: 'invalid',
  issues: [
    {
      code: 'value',
      expression: '_cursor',
      text: {
        fr: 'Ce curseur n’est pas d’une exportation qui peut se poursuivre ici : recommencez-la.',
        en: 'This cursor is of no export that can go on here: begin it again.',
      },
    },
  ],
})

const media: Readonly<Record<ExportFormat, readonly [contentType: string, extension: string]>> = {
  ndjson: ['application/x-ndjson; charset=utf-8', 'ndjson'],
  csv: ['text/csv; charset=utf-8; header=present', 'csv'],
  fhir: ['application/fhir+ndjson', 'fhir.ndjson'],
}

/** What of an export is to be sent. */
interface Rest extends Pick<ExportPlan, 'header' | 'parts'> {
  /** The entry after which it goes on; null: it begins. */
  readonly after: string | null
}

async function disclosureOf(
  ctx: Context,
  fixed: FixedExport,
  caller: CallerKind,
  { header, parts, after }: Rest,
): Promise<Disclosure> {
  const { exportId, time, format, completeness, told, filter, persons, logs } = fixed
  const filters = persons.length === 0 ? [filter] : persons.map((patient) => ({ ...filter, patient }))
  const plan: ExportPlan = { header, completeness, parts, filters, format, origin: ctx.origin }
  const [contentType, extension] = media[format]
  const cursor = await sealExport(ctx, fixed)
  return {
    status: 200,
    contentType,
    headers: {
      'Content-Disposition': `attachment; filename="audit-${time.slice(0, 10)}-${exportId.slice(0, 8)}.${extension}"`,
      ...(cursor === null ? {} : { 'Dossier-Export-Cursor': cursor }),
    },
    body: { exportId, chunks: exportChunks(ctx.ledger, plan) },
    disclosed: [],
    reason: caller,
    note: {
      export: exportId,
      ...told,
      ...Object.fromEntries(
        logs.map(({ log, first, end, size }) => [`log:${log}`, `[${first},${end})/${size}`]),
      ),
      ...(after === null ? {} : { after }),
    },
  }
}

/**
 * All of one person's chains, or of one organisation's, in every log and up to now; null: something else is asked for.
 *
 * @param persons the ids of `patient`
 */
function chainsOf(query: ExportQuery, persons: readonly string[]): Chains | null {
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
