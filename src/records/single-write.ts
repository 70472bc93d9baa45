/** A write of one resource over HTTP (FHIR R4, RESTful API): its address, its conditions, and what it answers. */
import * as z from 'zod'
import { allowsRow, grantsFor, type ScopedRow } from '../access/scope.ts'
import type { Disclosure } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { type BundleEntry, type DeleteEntry, otherId, type Resource, readResource } from '../fhir/bundle.ts'
import { type Condition, type Expected, parseCondition, parseIfMatch } from '../fhir/condition.ts'
import { parseJson } from '../fhir/json.ts'
import { etagOf, lastModifiedOf, type Version } from '../fhir/not-modified.ts'
import { type Issue, operationOutcome } from '../fhir/outcome.ts'
import { parsePrefer } from '../fhir/prefer.ts'
import { resourceTypes } from '../fhir/types.ts'
import { err, ok, type Result } from '../result.ts'
import { disclosedOf, versionedReference } from './page.ts'
import type { PlannedDocument } from './plan-document.ts'
import { concerned, unknownPersonOf, writtenDocuments } from './publish-response.ts'
import {
  beginPublishing,
  type Carried,
  type Publishing,
  plannedRow,
  scopedRow,
  type WriteContext,
  writeBundle,
} from './write-bundle.ts'

export const typePath = '/fhir/:type{[A-Z][A-Za-z]*}'
export const instancePath = `${typePath}/:id{[A-Za-z0-9.-]{1,64}}`

export const typeParam = z.object({ type: z.string() })
export const instanceParam = z.object({ type: z.string(), id: z.string() })

/** Of a write without a condition in its address. */
export const noQuery = z.strictObject({})

/** What a condition may say is for `parseCondition` to tell, in its own words. */
export const conditionQuery = z.record(z.string(), z.union([z.string(), z.array(z.string())]))

export const resourceBodies: readonly string[] = ['application/fhir+json', 'application/json']

/** Types whose documents are published in bundles only: under their addresses the log and the register answer. */
const keptInBundles: ReadonlySet<string> = new Set(['AuditEvent', 'Consent'])

export const isWrittenAlone = (type: string): boolean => !keptInBundles.has(type)

/** The load of a write of one resource of this type. */
export async function beginWrite(ctx: WriteContext, type: string): Promise<Result<Publishing, Refusal>> {
  if (!resourceTypes.has(type)) return err({ reason: 'no-such-path', path: ctx.url.pathname })
  if (!isWrittenAlone(type)) return err({ reason: 'method-not-allowed', allow: 'GET' })
  return await beginPublishing(ctx)
}

/** A publication of one entry. */
export async function writeOne(
  publishing: Publishing,
  type: string,
  entry: BundleEntry | DeleteEntry,
): Promise<Result<Disclosure, Refusal>> {
  const carried = await writeBundle(publishing, { kind: 'transaction', entries: [ok(entry)] }, {})
  return answered(publishing.ctx, type, carried)
}

/** The resource of a body. @param putId the id of the address; null: it has none */
export async function readSent(
  ctx: WriteContext,
  type: string,
  putId: string | null,
): Promise<Result<Resource, Refusal>> {
  const body = await ctx.body()
  if (!body.ok) return body
  const parsed = parseJson(body.value)
  if (!parsed.ok) return err({ reason: 'invalid', issues: [parsed.error] })
  const read = readResource(parsed.value, type)
  if (!read.ok) return err({ reason: 'invalid', issues: read.error })
  const issues = [
    ...(read.value.resourceType === type ? [] : [otherType(type)]),
    // A server id or a source key: where they differ, `id` is what the sender means by it.
    ...otherId(read.value, putId, `${type}.id`),
  ]
  return issues.length > 0 ? err({ reason: 'invalid', issues }) : ok(read.value)
}

const otherType = (type: string): Issue => ({
  code: 'value',
  expression: `${type}.resourceType`,
  text: {
    fr: `L’adresse est celle du type ${type}.`,
    en: `The address is that of type ${type}.`,
  },
})

/** `If-Match`, where it is sent. */
export function readIfMatch({ ifMatch }: WriteContext): Result<{ readonly ifMatch?: Expected }, Refusal> {
  if (ifMatch === null) return ok({})
  const read = parseIfMatch(ifMatch, 'If-Match')
  return read.ok ? ok({ ifMatch: read.value }) : err({ reason: 'invalid', issues: read.error })
}

/** The condition in the address. */
export function readAddressed({ url }: WriteContext): Result<Condition, Refusal> {
  const read = parseCondition(url.search.slice(1), 'condition')
  return read.ok ? read : err({ reason: 'invalid', issues: read.error })
}

/** The disclosure of a write of one entry, or its refusal, told of the resource and not of a bundle. */
export function answered(
  ctx: WriteContext,
  type: string,
  carried: Result<Carried, Refusal>,
): Result<Disclosure, Refusal> {
  if (!carried.ok) return err(unbundled(carried.error, type))
  const { plan, published, inRecords, inLocal } = carried.value
  const written = writtenDocuments(plan, published, inRecords, inLocal)
  const [outcome] = plan.outcomes
  const [one] = written
  const common = {
    contentType: 'application/fhir+json; charset=utf-8',
    disclosed: disclosedOf(concerned(plan, written)),
    reason: 'own-facility',
  }
  const clock = { 'Dossier-Clock': inRecords.clock }
  if (outcome && 'removed' in outcome) {
    const { removed } = outcome
    return ok({
      ...common,
      status: 204,
      headers: { ...clock, ...(removed ? versionHeaders({ version: removed.version + 1, published }) : {}) },
      body: '',
      note: { state: removed ? 'deleted' : 'absent' },
    })
  }
  const existing = outcome && 'existing' in outcome ? outcome.existing : null
  const document = plan.documents[0]
  const latest = existing ?? one?.latest
  if (!latest) throw new Error('a write of one entry came to nothing')
  return ok({
    ...common,
    status: one?.state === 'created' ? 201 : 200,
    headers: {
      ...clock,
      ...versionHeaders(latest),
      Location: `${ctx.origin}/fhir/${versionedReference(latest)}`,
    },
    body: existing
      ? bodyOf(ctx, type, scopedRow(existing), () => existing.body)
      : document
        ? bodyOf(ctx, type, plannedRow(document), () => servedText(document, latest), document)
        : '',
    note: { state: existing ? 'existing' : (one?.state ?? '') },
  })
}

const versionHeaders = (version: Version) => ({
  ETag: etagOf(version),
  'Last-Modified': lastModifiedOf(version),
})

/** R4 §3.1.0.1.9. What the token may not read, it is not told either: it may have sent a part of it only. */
function bodyOf(
  ctx: WriteContext,
  type: string,
  row: ScopedRow,
  text: () => string,
  document?: PlannedDocument,
): string {
  const { answer } = parsePrefer(ctx.prefer)
  if (answer === 'minimal') return ''
  if (answer === 'OperationOutcome') {
    const warning = document && unknownPersonOf(document)
    return JSON.stringify(
      warning
        ? operationOutcome([ofResource(warning, type)], ctx.language, 'warning')
        : operationOutcome([done], ctx.language, 'information'),
    )
  }
  const grants = grantsFor(ctx.scopes, 'facility-system', { type, interaction: 'r' })
  return allowsRow(grants, row) ? text() : ''
}

const done: Issue = {
  code: 'informational',
  text: { fr: 'C’est écrit.', en: 'It is written.' },
}

/** As the database has put it together (`documents-sql.ts`). */
const servedText = (
  { tail }: PlannedDocument,
  { type, id, version, published }: { type: string; id: string; version: number; published: string },
): string =>
  `{"resourceType":"${type}","id":"${id}","meta":{"versionId":"${version}","lastUpdated":"${published}"${tail}`

function unbundled(refusal: Refusal, type: string): Refusal {
  return 'issues' in refusal && refusal.issues
    ? { ...refusal, issues: refusal.issues.map((issue) => ofResource(issue, type)) }
    : refusal
}

/** `Bundle.entry[0].resource.status` is `Observation.status`; what was in no resource has no expression. */
function ofResource({ expression, ...issue }: Issue, type: string): Issue {
  if (expression === undefined) return issue
  const [, inResource, path] = /^Bundle\.entry\[0\](\.resource)?(.*)$/.exec(expression) ?? []
  if (path === undefined) return { ...issue, expression }
  return inResource === undefined ? issue : { ...issue, expression: `${type}${path}` }
}
