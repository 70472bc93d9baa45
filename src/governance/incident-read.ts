/** `GET /audit/incidents`, in pages or as one CSV file of the register, and `GET /audit/incidents/{id}` with all its versions. */
import * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, DisclosureChunk, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Rows } from '../store/ports.ts'
import { firstRow } from '../store/rows.ts'
import { answer } from './answer.ts'
import { noInput } from './fields.ts'
import { incidentCsvHeader, incidentCsvLine } from './incident-csv.ts'
import {
  incidentStatement,
  incidentsStatement,
  type StoredIncident,
  storedIncident,
  tellIncident,
  versionsStatement,
} from './incident-sql.ts'
import { incidentId, isOwn, notFound, type Officer } from './incident-write.ts'
import { nextPage, openPage, pageInput } from './list-page.ts'
import { isSame } from './question-ask.ts'

const listInput = pageInput
  .extend({
    status: z.enum(['open', 'closed', 'all']).default('all'),
    /** Days on which the body became aware, both included. */
    from: z.iso.date().optional(),
    to: z.iso.date().optional(),
    format: z.enum(['json', 'csv']).default('json'),
  })
  // The file is the whole register, or the period asked for.
  .refine(({ format, _cursor }) => format === 'json' || _cursor === undefined, { path: ['_cursor'] })

type ListContext = OperationContext<z.infer<typeof noInput>, z.infer<typeof listInput>>
type ReadContext = OperationContext<z.infer<typeof incidentId>, z.infer<typeof noInput>>

export const listIncidents: Operation<z.infer<typeof noInput>, z.infer<typeof listInput>> = {
  name: 'incidents',
  method: 'GET',
  path: '/audit/incidents',
  action: 'audit-read',
  callers: ['privacy-officer'],
  scope: () => ({ type: '*', interaction: 'r' }),
  param: noInput,
  query: listInput,
  mediaTypes: ['application/json', 'text/csv'],
  handle: list,
}

export const readIncident: Operation<z.infer<typeof incidentId>, z.infer<typeof noInput>> = {
  name: 'incident-read',
  method: 'GET',
  path: '/audit/incidents/:id',
  action: 'audit-read',
  callers: ['privacy-officer'],
  scope: () => ({ type: '*', interaction: 'r' }),
  param: incidentId,
  query: noInput,
  handle: read,
}

async function list(ctx: ListContext): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const { caller } = permitted.value
  if (caller.kind !== 'privacy-officer') return forbidden('operation-not-for-caller')
  return ctx.query.format === 'csv' ? await exportCsv(ctx, caller) : await page(ctx, caller)
}

async function page(ctx: ListContext, officer: Officer): Promise<Result<Disclosure, Refusal>> {
  const whose = officer.organisation ?? ''
  const at = await openPage(ctx, whose)
  if (!at.ok) return at
  const found = await rowsOf(ctx, officer, at.value)
  if (!found.ok) return found
  const { rows, next } = await nextPage(ctx, whose, found.value)
  const incidents = rows.map(storedIncident)
  const body = { incidents: incidents.map(tellIncident), next }
  return ok(answer(200, body, personsOf(incidents), officer.kind))
}

const personsOf = (incidents: readonly StoredIncident[]): readonly string[] =>
  incidents.flatMap(({ person }) => (person === null ? [] : [person]))

/** @param at position after which, and how many at most */
async function rowsOf(
  ctx: ListContext,
  officer: Officer,
  at: { readonly at: string; readonly id: string; readonly count: number },
): Promise<Result<Rows, Refusal>> {
  const { status, from = null, to = null } = ctx.query
  const wanted = { organisation: officer.organisation, status, from, to, ...at }
  const loaded = await ctx.load(() => ({ records: [incidentsStatement(wanted)] }))
  if (!loaded.ok) return loaded
  if (!isSame(loaded.value.caller, officer)) return forbidden('not-own-organisation')
  return ok(loaded.value.records[0] ?? [])
}

/** Read whole before its first byte leaves, so that a record that does not answer is a refusal, not half a register. */
async function exportCsv(ctx: ListContext, officer: Officer): Promise<Result<Disclosure, Refusal>> {
  const incidents: StoredIncident[] = []
  const count = limits.defaultPageRows
  // Later than any time.
  let at = { at: '~', id: '', count }
  for (;;) {
    const rows = await rowsOf(ctx, officer, at)
    if (!rows.ok) return rows
    incidents.push(...rows.value.map(storedIncident))
    if (incidents.length > limits.maxIncidentExportRows)
      return err({
        reason: 'too-costly',
        of: 'entries',
        got: incidents.length,
        max: limits.maxIncidentExportRows,
      })
    const last = incidents.at(-1)
    if (rows.value.length < count || !last) break
    at = { at: last.at, id: last.id, count }
  }
  return ok(fileOf(ctx, officer, incidents))
}

function fileOf(ctx: ListContext, officer: Officer, incidents: readonly StoredIncident[]): Disclosure {
  const exportId = crypto.randomUUID()
  const { status, from, to } = ctx.query
  const day = new Date(ctx.now).toISOString().slice(0, 10)
  return {
    status: 200,
    contentType: 'text/csv; charset=utf-8; header=present',
    headers: { 'Content-Disposition': `attachment; filename="incidents-${day}.csv"` },
    body: { exportId, chunks: chunksOf(incidents) },
    disclosed: [],
    reason: officer.kind,
    note: {
      export: exportId,
      incidents: String(incidents.length),
      status,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    },
  }
}

/** Each names the patients of its own lines, in the log before the lines leave. */
async function* chunksOf(incidents: readonly StoredIncident[]): AsyncGenerator<DisclosureChunk> {
  const encoder = new TextEncoder()
  yield { patients: [], bytes: encoder.encode(incidentCsvHeader()) }
  for (let first = 0; first < incidents.length; first += limits.defaultPageRows) {
    const some = incidents.slice(first, first + limits.defaultPageRows)
    yield {
      patients: [...new Set(personsOf(some))],
      bytes: encoder.encode(some.map(incidentCsvLine).join('')),
    }
  }
}

async function read(ctx: ReadContext): Promise<Result<Disclosure, Refusal>> {
  const { id } = ctx.param
  const loaded = await ctx.load(() => ({ records: [incidentStatement(id), versionsStatement(id)] }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (caller.kind !== 'privacy-officer') return forbidden('operation-not-for-caller')
  const row = firstRow(records[0])
  const incident = row === null ? null : storedIncident(row)
  if (incident === null || !isOwn(caller, incident)) return err(notFound(id, incident))
  const versions = (records[1] ?? []).map(({ version, status, body, at, done_by }) => ({
    ...{ version, status, at, by: done_by },
    ...(JSON.parse(String(body)) as object),
  }))
  const disclosure = answer(200, { ...tellIncident(incident), versions }, personsOf([incident]), caller.kind)
  return ok({ ...disclosure, note: { incident: id } })
}
