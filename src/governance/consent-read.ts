/**
 * `GET /fhir/Consent…`: the register, to whom it is about, their guardian and privacy officers. Facilities read by id what
 * they published themselves; their search is refused as before, for it would look like the register.
 */
import * as z from 'zod'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { etagOf } from '../fhir/not-modified.ts'
import { limits } from '../limits.ts'
import { readDocument } from '../records/read.ts'
import { searchType } from '../records/search.ts'
import { err, ok, type Result } from '../result.ts'
import { texts } from '../store/rows.ts'
import {
  consentId,
  consentPath,
  consentReference,
  fhirJson,
  isRegistrant,
  ownConsent,
} from './consent-answer.ts'
import { consentResource } from './consent-resource.ts'
import {
  consentHistory,
  consentsOfPerson,
  currentConsent,
  type StoredConsent,
  storedConsent,
} from './consent-sql.ts'
import { noInput } from './fields.ts'
import { decideKeeper, organisationsOf } from './keeper.ts'

const byPatient = z.strictObject({
  patient: z.string().regex(/^(?:Patient\/)?[A-Za-z0-9.-]{1,64}$/),
})

export const readConsentOperation: Operation<z.infer<typeof consentId>, z.infer<typeof noInput>> = {
  name: 'consent-read',
  method: 'GET',
  path: consentPath,
  action: 'read',
  callers: ['patient', 'guardian', 'privacy-officer', 'provider', 'facility-system'],
  scope: () => ({ type: 'Consent', interaction: 'r' }),
  param: consentId,
  query: noInput,
  handle: read,
}

export const consentHistoryOperation: Operation<z.infer<typeof consentId>, z.infer<typeof noInput>> = {
  name: 'consent-history',
  method: 'GET',
  path: `${consentPath}/_history`,
  action: 'history',
  callers: ['patient', 'guardian', 'privacy-officer'],
  scope: () => ({ type: 'Consent', interaction: 'r' }),
  param: consentId,
  query: noInput,
  handle: history,
}

export const searchConsentOperation: Operation<z.infer<typeof noInput>, z.infer<typeof byPatient>> = {
  name: 'consent-search',
  method: 'GET',
  path: '/fhir/Consent',
  action: 'search',
  callers: ['patient', 'guardian', 'privacy-officer', 'provider', 'facility-system'],
  scope: () => ({ type: 'Consent', interaction: 's' }),
  param: noInput,
  query: byPatient,
  searchParameters: () => [{ name: 'patient', type: 'reference' }],
  handle: search,
}

type ById = OperationContext<z.infer<typeof consentId>, z.infer<typeof noInput>>

async function read(ctx: ById): Promise<Result<Disclosure, Refusal>> {
  const { id } = ctx.param
  const loaded = await ctx.load(() => ({ records: [currentConsent(id)] }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (!isRegistrant(caller))
    return await readDocument.handle({ ...ctx, param: { type: 'Consent', id }, query: {} })
  const stored = ownConsent(caller, records[0])
  if (!stored) return err({ reason: 'not-found', what: `Consent/${id}` })
  return ok({
    status: 200,
    contentType: fhirJson,
    headers: { ETag: etagOf(stored), 'Last-Modified': new Date(stored.recordedAt).toUTCString() },
    body: JSON.stringify(consentResource(stored)),
    disclosed: [{ patient: stored.person, resources: [consentReference(stored)] }],
    reason: caller.kind,
  })
}

async function history(ctx: ById): Promise<Result<Disclosure, Refusal>> {
  const { id } = ctx.param
  const loaded = await ctx.load(() => ({ records: [consentHistory(id)] }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  const newest = ownConsent(caller, records[0])
  if (!newest) return err({ reason: 'not-found', what: `Consent/${id}` })
  const versions = (records[0] ?? []).map(storedConsent)
  const entry = versions.map((version) => ({
    fullUrl: `${ctx.origin}/fhir/Consent/${id}`,
    resource: consentResource(version),
    request:
      version.version === 1 ? { method: 'POST', url: 'Consent' } : { method: 'PUT', url: `Consent/${id}` },
    response: {
      status: version.version === 1 ? '201' : '200',
      etag: etagOf(version),
      lastModified: version.recordedAt,
    },
  }))
  return ok(bundle(ctx, 'history', entry, versions, newest.person, caller.kind))
}

async function search(
  ctx: OperationContext<z.infer<typeof noInput>, z.infer<typeof byPatient>>,
): Promise<Result<Disclosure, Refusal>> {
  const source = ctx.query.patient.replace(/^Patient\//, '')
  const loaded = await ctx.load(() => ({
    subject: { by: 'patient', id: source },
    records: [organisationsOf(source), consentsOfPerson(source)],
  }))
  if (!loaded.ok) return loaded
  const { caller, subjects, records } = loaded.value
  if (!isRegistrant(caller)) return await searchType.handle({ ...ctx, param: { type: 'Consent' }, query: {} })
  const person = decideKeeper(caller, subjects[0]?.person ?? null, texts(records[0], 'organisation'))
  if (!person.ok) return person
  const found = (records[1] ?? []).map(storedConsent)
  // Only persons joined from several records could have so many.
  if (found.length > limits.maxPageRows)
    return err({ reason: 'too-costly', of: 'entries', got: found.length, max: limits.maxPageRows })
  const entry = found.map((stored) => ({
    fullUrl: `${ctx.origin}/fhir/Consent/${stored.id}`,
    resource: consentResource(stored),
    search: { mode: 'match' },
  }))
  return ok(bundle(ctx, 'searchset', entry, found, person.value, caller.kind))
}

const bundle = (
  { url }: Pick<OperationContext<unknown, unknown>, 'url'>,
  type: 'searchset' | 'history',
  entry: readonly unknown[],
  consents: readonly StoredConsent[],
  person: string,
  reason: string,
): Disclosure => ({
  status: 200,
  contentType: fhirJson,
  body: JSON.stringify({
    resourceType: 'Bundle',
    type,
    total: entry.length,
    link: [{ relation: 'self', url: url.href }],
    ...(entry.length > 0 ? { entry } : {}),
  }),
  disclosed: [{ patient: person, resources: consents.map(consentReference) }],
  reason,
})
