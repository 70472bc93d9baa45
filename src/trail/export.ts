/**
 * `GET /audit/export`: entries of the audit log, streamed in the order of their logs. The sizes are fixed when it begins,
 * so the export's own entries are never in it; each patient it names is in the log before the bytes that name them leave.
 */
import { z } from 'zod'
import type { Caller } from '../access/caller.ts'
import type { Disclosure, DisclosureStream, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Reader, Rows } from '../store/ports.ts'
import {
  csvHeader,
  csvLine,
  type ExportedLog,
  type ExportHeader,
  type ExportRow,
  ndjsonHeader,
  ndjsonLine,
} from './export-format.ts'
import { type EntryFilter, firstAtStatement, logsStatement, pageStatement } from './ledger-sql.ts'

const logName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
// Beyond the years of four digits, text in UTC would no longer sort by time.
const instant = z.iso
  .datetime({ offset: true })
  .refine((time) => /^\d{4}-/.test(utc(time)), 'not within the years 0001 to 9999 (UTC)')
const text = z.string().min(1).max(limits.maxEntryTextBytes)

const query = z
  .strictObject({
    /** Repeatable; none: all logs of the ledger. */
    log: z.union([logName, z.array(logName).max(limits.maxExportLogs)]).optional(),
    /** The period: at or after `from`, before `to`. */
    from: instant.optional(),
    to: instant.optional(),
    patient: text.optional(),
    practitioner: text.optional(),
    organisation: text.optional(),
    action: text.optional(),
    outcome: z.enum(['permit', 'deny', 'error']).optional(),
    format: z.enum(['ndjson', 'csv']).default('ndjson'),
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
  callers: ['privacy-officer'],
  scope: () => ({ type: 'AuditEvent', interaction: 's' }),
  param,
  query,
  handle: begin,
}

async function begin(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({}))
  if (!loaded.ok) return loaded
  const own = ownOrganisation(loaded.value.caller, ctx.query)
  if (!own.ok) return own
  const logs = await fixLogs(ctx)
  if (!logs.ok) return logs
  const { log: _, from: __, to: ___, format, ...asked } = ctx.query
  const filter = { ...asked, ...own.value }
  const exportId = crypto.randomUUID()
  const time = new Date(ctx.now).toISOString()
  const header: ExportHeader = {
    exportId,
    time,
    completeness: Object.values(filter).some((value) => value !== undefined) ? 'none' : 'range',
    filters: toldFilters({ ...ctx.query, ...own.value }),
    logs: logs.value,
  }
  return ok({
    status: 200,
    contentType:
      format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson; charset=utf-8',
    headers: {
      'Content-Disposition': `attachment; filename="audit-${time.slice(0, 10)}-${exportId.slice(0, 8)}.${format}"`,
    },
    body: { exportId, chunks: exportChunks(ctx.ledger, header, filter, format) },
    disclosed: [],
    reason: 'privacy-officer',
    note: {
      export: exportId,
      ...header.filters,
      ...Object.fromEntries(
        header.logs.map(({ log, first, end, size }) => [`log:${log}`, `[${first},${end})/${size}`]),
      ),
    },
  })
}

/** The officer of one organisation sees what its own professionals did. */
function ownOrganisation(
  caller: Caller,
  { organisation }: Query,
): Result<{ readonly organisation?: string }, Refusal> {
  if (caller.kind !== 'privacy-officer')
    return err({ reason: 'forbidden', cause: 'operation-not-for-caller' })
  if (caller.organisation === null) return ok({})
  if (organisation !== undefined && organisation !== caller.organisation)
    return err({ reason: 'forbidden', cause: 'not-own-organisation' })
  return ok({ organisation: caller.organisation })
}

/** The filters as strings, for the file's header and the export's own entry. */
function toldFilters(query: Query): Record<string, string> {
  const told = Object.entries(query).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    told.map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : String(value)]),
  )
}

/** The logs to read and how far: as far as each has grown by now, all of which the ledger holds before we go on. */
async function fixLogs(ctx: Context): Promise<Result<ExportedLog[], Refusal>> {
  const [known = []] = await ctx.ledger.read([logsStatement])
  const ledgerSizes = new Map(known.map((row) => [String(row.log), Number(row.size)]))
  const served = ctx.logs
  const asked = ctx.query.log === undefined ? [] : [ctx.query.log].flat()
  const names =
    asked.length > 0 ? [...new Set(asked)] : [...new Set([...served, ...ledgerSizes.keys()])].sort()
  if (names.length > limits.maxExportLogs)
    return err({ reason: 'too-costly', of: 'logs', got: names.length, max: limits.maxExportLogs })

  const sizes = new Map<string, { readonly size: number; readonly current: boolean }>()
  for (const name of names) {
    const ledgerSize = ledgerSizes.get(name)
    if (!served.includes(name) && ledgerSize === undefined)
      return err({ reason: 'not-found', what: `log ${name}` })
    const drained = await ctx.drainedLog(name)
    // A log of another machine may be out of reach: what it has drained is in the ledger, and the header says so.
    if (!drained.ok && (served.includes(name) || ledgerSize === undefined)) return drained
    sizes.set(
      name,
      drained.ok
        ? { size: Number(drained.value.size), current: true }
        : { size: ledgerSize ?? 0, current: false },
    )
  }
  return ok(await withPeriod(ctx, sizes))
}

async function withPeriod(
  { ledger, query: { from, to } }: Context,
  sizes: ReadonlyMap<string, { readonly size: number; readonly current: boolean }>,
): Promise<ExportedLog[]> {
  const names = [...sizes.keys()]
  // Without an end the statement is asked for a time no entry has.
  const bounds = names.flatMap((name) => [
    firstAtStatement(name, from === undefined ? '' : utc(from)),
    firstAtStatement(name, to === undefined ? '~' : utc(to)),
  ])
  const rows = bounds.length > 0 ? await ledger.read(bounds, limits.exportPageDeadlineMs) : []
  return names.map((log, i) => {
    const { size, current } = sizes.get(log) ?? { size: 0, current: false }
    const indexOf = (at: Rows | undefined): number => Math.min(Number(at?.[0]?.idx ?? size), size)
    return {
      log,
      size: String(size),
      first: String(indexOf(rows[2 * i])),
      end: String(indexOf(rows[2 * i + 1])),
      current,
    }
  })
}

/** As the ledger writes times, so that they compare as text. */
/** The empty string for what is no instant. */
function utc(time: string): string {
  const at = new Date(time)
  return Number.isNaN(at.getTime()) ? '' : at.toISOString()
}

type Chunk = DisclosureStream['chunks'] extends AsyncIterable<infer T> ? T : never

/** Constant memory: one page of the ledger at a time. */
export async function* exportChunks(
  audit: Reader,
  header: ExportHeader,
  filter: EntryFilter,
  format: 'ndjson' | 'csv',
): AsyncGenerator<Chunk> {
  const encoder = new TextEncoder()
  const line = format === 'csv' ? csvLine : ndjsonLine
  const met = new PatientsMet()
  yield { patients: [], bytes: encoder.encode(format === 'csv' ? csvHeader() : ndjsonHeader(header)) }
  for await (const page of pages(audit, header.logs, filter)) {
    let lines = ''
    for (const { patient, ...row } of page) {
      if (patient !== null && met.isNew(patient) && met.isFull) {
        yield { patients: met.take(), bytes: encoder.encode(lines) }
        lines = ''
      }
      if (patient !== null) met.add(patient)
      lines += line(row)
    }
    yield { patients: met.take(), bytes: encoder.encode(lines) }
  }
}

/** Patients named so far, and those of the chunk being made. */
class PatientsMet {
  #named = new Set<string>()
  #fresh: string[] = []

  isNew(patient: string): boolean {
    return !this.#named.has(patient)
  }

  /** One append takes no more. */
  get isFull(): boolean {
    return this.#fresh.length === limits.maxAppendEntries
  }

  add(patient: string): void {
    if (this.#named.has(patient)) return
    // Forgetting makes a patient be logged again: more entries than needed, never fewer.
    if (this.#named.size === limits.maxExportPatients) this.#named = new Set(this.#fresh)
    this.#named.add(patient)
    this.#fresh.push(patient)
  }

  take(): string[] {
    const fresh = this.#fresh
    this.#fresh = []
    return fresh
  }
}

async function* pages(
  ledger: Reader,
  logs: readonly ExportedLog[],
  filter: EntryFilter,
): AsyncGenerator<(ExportRow & { readonly patient: string | null })[]> {
  for (const { log, first, end } of logs) {
    let from = Number(first)
    while (from < Number(end)) {
      const [rows = []] = await ledger.read(
        [pageStatement(log, from, Number(end), filter)],
        limits.exportPageDeadlineMs,
      )
      const last = rows.at(-1)
      if (!last) break
      yield rows.map((row) => ({
        entry: row.entry as string,
        leaf: new Uint8Array(row.leaf as ArrayBuffer),
        salt: new Uint8Array(row.salt as ArrayBuffer),
        patient: row.patient as string | null,
      }))
      from = Number(last.idx) + 1
    }
  }
}
