/** `GET /fhir/{Type}?…`: one read batch per database, merged, decided row by row, paged by a sealed cursor. */
import { z } from 'zod'
import type { Presented } from '../access/caller.ts'
import { type Basis, decideRow, decideSubject, noCodings, type Situation } from '../access/policy.ts'
import { allowsRow, grantsFor, scopeFilter } from '../access/scope.ts'
import type { SubjectOf } from '../access/subject.ts'
import { visible, visibleArgs, visibleLocal, visibleLocalArgs } from '../access/visible.ts'
import { permittedLocal, permittedLocalArgs } from '../access/visible-local.ts'
import type { Asker, Disclosure, Loaded, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { type Issue, operationOutcome } from '../fhir/outcome.ts'
import { parseSearch, type SearchQuery } from '../fhir/search.ts'
import { isSearched, searchParametersOf } from '../fhir/search-parameters.ts'
import { resourceTypes } from '../fhir/types.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { SqlValue } from '../store/ports.ts'
import { type Cursors, createCursors, type Position } from './cursor.ts'
import { identityStatement, knownIdentities, minimalPatient } from './identity-look-up.ts'
import { disclosedOf, emergencyOf, judge, merge, type Page, type PageRow, pageRow } from './page.ts'
import { type Bound, eachRow, onePerson, pageStatements, runningSum } from './search-sql.ts'

const param = z.object({ type: z.string() })
const query = z.record(z.string(), z.union([z.string(), z.array(z.string())]))

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof query>>

export const searchType: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  name: 'search-type',
  method: 'GET',
  path: '/fhir/:type{[A-Z][A-Za-z]*}',
  action: 'search',
  callers: ['provider', 'facility-system'],
  scope: ({ type }) => ({ type, interaction: 's' }),
  rate: ({ type }) => (type === 'Patient' ? 'identity' : 'general'),
  param,
  query,
  serves: isSearched,
  searchParameters: searchParametersOf,
  handle: search,
}

async function search(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { type } = ctx.param
  if (!resourceTypes.has(type)) return err({ reason: 'no-such-path', path: ctx.url.pathname })
  if (type === 'AuditEvent' || type === 'Consent') return err(notOffered(type))
  // From the address itself: a record of parameters loses names such as `__proto__`.
  const parsed = parseSearch(type, ctx.url.searchParams)
  if (!parsed.ok) return err({ reason: 'invalid', issues: parsed.error })
  const wanted = parsed.value

  const cursors = createCursors(ctx.keys.cursorKey)
  const binding = bindingOf(ctx)
  const after = wanted.cursor === null ? null : await cursors.open(wanted.cursor, binding)
  if (wanted.cursor !== null && after === null) return err(badCursor)

  const load = (bound: Bound, known: Loaded | null) =>
    ctx.load((asker) => pageFor(ctx, asker, { wanted, after, bound, known }))
  let loaded = await load(eachRow, null)
  if (!loaded.ok) return loaded
  const allowed = admit(loaded.value, wanted)
  if (!allowed.ok) return allowed
  if (isCrowded(loaded.value, wanted)) {
    loaded = await load(eachRow, loaded.value)
    if (!loaded.ok) return loaded
  }
  let page = pageOf(loaded.value, wanted)
  if (page.isCut) {
    loaded = await load(runningSum, loaded.value)
    if (!loaded.ok) return loaded
    page = pageOf(loaded.value, wanted)
    // The first row of a statement has its body; only one that a document just left for another can begin without.
    if (page.isCut && page.rows.length === 0)
      return err({ reason: 'store-unavailable', detail: 'a document is moving between the databases' })
  }
  const { caller, isLocalMissing } = loaded.value
  const situation: Situation = {
    ...loaded.value,
    grants: grantsFor(ctx.scopes, caller.kind, { type, interaction: 's' }),
  }
  // Paging follows what was read, releasing follows the policy: a page may be shorter than asked, never skip a row.
  const judged = judge(caller, situation, page.rows)
  const strangers = wanted.identifier ? strangersOf(ctx, loaded.value, situation.grants, judged.rows) : []
  const disclosed = [
    ...disclosedOf(judged.rows),
    ...strangers.map(({ person }) => ({ patient: person, resources: [] })),
  ]
  // Only a look-up by identifier can meet several persons; so many share one only by mistake.
  if (disclosed.length > limits.maxAccessPatients)
    return err({ reason: 'too-costly', of: 'patients', got: disclosed.length, max: limits.maxAccessPatients })
  const last = page.rows.at(-1)
  const next = page.more && last ? await nextLink(ctx, cursors, last, binding) : null
  const basis = judged.basis ?? allowed.value
  const isEmergency = basis === 'break-glass'
  return ok({
    status: 200,
    contentType: 'application/fhir+json; charset=utf-8',
    body: searchset(
      ctx,
      judged.rows,
      strangers.map(({ body }) => body),
      next,
      isLocalMissing,
    ),
    // A search about one patient is that patient's access, also when it finds nothing.
    disclosed:
      disclosed.length > 0 || wanted.identifier
        ? disclosed
        : loaded.value.subjects.map(({ person }) => ({ patient: person, resources: [] })),
    reason: isEmergency ? 'break-glass' : strangers.length > 0 ? 'identity-look-up' : judged.reason,
    breakGlassReason: isEmergency ? emergencyOf(caller, situation) : null,
    mismatches: judged.mismatches,
    ...(basis === null ? {} : { note: { basis } }),
  })
}

/** Whether the caller may ask about this patient; of a provider, why he may. */
function admit({ caller, subjects, settings }: Loaded, wanted: SearchQuery): Result<Basis | null, Refusal> {
  if (caller.kind !== 'provider' || wanted.identifier) return ok(null)
  const [subject = null] = subjects
  const decision = decideSubject(caller, subject, settings)
  if (decision.outcome === 'permit') return ok(decision.basis)
  return err({
    reason: 'forbidden',
    cause: decision.reason,
    ...(subject ? { patient: subject.person } : {}),
  })
}

interface Asked {
  readonly wanted: SearchQuery
  readonly after: Position | null
  readonly bound: Bound
  /** What an earlier batch of this request said; null: nothing yet. */
  readonly known: Loaded | null
}

function pageFor(
  { param: { type }, scopes }: Context,
  viewer: Asker,
  { wanted, after, bound, known }: Asked,
) {
  const statements = (filter: (alias: string) => string, filterArgs: Readonly<Record<string, SqlValue>>) => {
    const args: Record<string, SqlValue> = { ...filterArgs }
    const narrowed = scopeFilter(
      grantsFor(scopes, viewer.sight?.kind ?? 'provider', { type, interaction: 's' }),
      'd',
      args,
    )
    if (narrowed.includes(':scope_context')) args.scope_context = viewer.presented.patient
    return pageStatements(type, wanted, after, bound, `${filter('d')} and ${narrowed}`, args)
  }
  const person = wanted.identifier ? 'd.person' : onePerson
  return {
    subject: subjectOf(wanted),
    records: [
      ...(wanted.identifier ? [identityStatement(wanted)] : []),
      ...statements((d) => visible(d, viewer, person), visibleArgs(viewer)),
    ],
    local:
      known?.caller.kind === 'provider'
        ? statements(permittedLocal, {
            ...visibleLocalArgs(viewer.facility),
            ...permittedLocalArgs(known.caller, known),
          })
        : statements(visibleLocal, visibleLocalArgs(viewer.facility)),
  }
}

const subjectOf = ({ patient, identifier, birthDate }: SearchQuery): SubjectOf =>
  identifier
    ? {
        by: 'identifier',
        system: identifier.system ?? '',
        value: identifier.code ?? '',
        birthDate: birthDate ?? '',
      }
    : { by: 'patient', id: patient ?? '' }

/**
 * Persons whom the identifier finds and of whom the caller may read no `Patient`: told as little as it takes to attest a care
 * relationship or declare an emergency, the same whatever stands in the way; of nobody whom the token's scopes leave out.
 */
function strangersOf(
  { origin }: Context,
  { caller, records }: Loaded,
  grants: Situation['grants'],
  permitted: readonly PageRow[],
) {
  if (caller.kind !== 'provider') return []
  const seen = new Set(permitted.map(({ person }) => person))
  return knownIdentities(records[0] ?? [])
    .filter(({ person }) => !seen.has(person))
    .filter(({ person }) => allowsRow(grants, { isInContext: person === caller.contextPerson, ...noCodings }))
    .map((identity) => ({ person: identity.person, body: minimalPatient(identity, origin) }))
}

/** Rows that the policy refuses count for nothing: neither towards `_count`, nor as what comes next. */
const pageOf = (loaded: Loaded, { count, identifier }: SearchQuery): Page =>
  merge(
    [
      ...(identifier ? loaded.records.slice(1) : loaded.records).map((rows) =>
        rows.map((row) => pageRow(row, true)),
      ),
      ...loaded.local.map((rows) => rows.map((row) => pageRow(row, false))),
    ],
    count,
    (row) => row.shared || isOpenTo(loaded, row),
  )

/** What the local database was not asked: it knows the facility and, of scopes, the codings. */
const isOpenTo = ({ caller, subjects, settings }: Loaded, row: PageRow): boolean =>
  decideRow(caller, { subjects, settings, grants: null }, { ...row, codings: noCodings }).outcome === 'permit'

/** The local rows that were asked for may hide others behind some that the policy refuses. */
const isCrowded = (loaded: Loaded, { count }: SearchQuery): boolean =>
  loaded.local.some(
    (rows) => rows.length > count && !rows.every((row) => isOpenTo(loaded, pageRow(row, false))),
  )

/** Caller and question, without the cursor itself. */
export function bindingOf({ presented, url }: { readonly presented: Presented; readonly url: URL }): string {
  const question = new URLSearchParams(url.search)
  question.delete('_cursor')
  question.sort()
  const { issuer, subject, clientId, role, facilityUri, purpose, scopes, patient } = presented
  const bearer = [issuer, subject, clientId, role, facilityUri, purpose, scopes, patient]
  return JSON.stringify([...bearer, url.pathname, question.toString()])
}

async function nextLink(ctx: Context, cursors: Cursors, last: PageRow, binding: string): Promise<string> {
  const url = new URL(ctx.url)
  url.searchParams.set('_cursor', await cursors.seal({ dateLo: last.dateLo, id: last.id }, binding))
  return url.href
}

/** Stored text put together, never parsed. */
function searchset(
  { origin, url, language }: Context,
  rows: readonly PageRow[],
  strangers: readonly string[],
  next: string | null,
  isLocalMissing: boolean,
): string {
  const links = [{ relation: 'self', url: url.href }, ...(next ? [{ relation: 'next', url: next }] : [])]
  const entries = rows.map(
    ({ type, id, body }) =>
      `{"fullUrl":"${origin}/fhir/${type}/${id}","resource":${body},"search":{"mode":"match"}}`,
  )
  entries.push(...strangers)
  // Said in the page itself: a clinician must not take what is missing for what is not there.
  if (isLocalMissing)
    entries.unshift(
      `{"resource":${JSON.stringify(operationOutcome([localMissing], language, 'warning'))},"search":{"mode":"outcome"}}`,
    )
  const entry = entries.length > 0 ? `,"entry":[${entries.join(',')}]` : ''
  return `{"resourceType":"Bundle","type":"searchset","link":${JSON.stringify(links)}${entry}}`
}

const localMissing: Issue = {
  code: 'incomplete',
  text: {
    fr: 'Les documents non partagés de votre établissement n’ont pu être lus : la liste est incomplète.',
    en: 'The unshared documents of your facility could not be read: this list is incomplete.',
  },
}

export const badCursor: Refusal = {
  reason: 'invalid',
  issues: [
    {
      code: 'value',
      expression: '_cursor',
      text: {
        fr: 'Ce curseur n’est pas de cette recherche : reprenez à la première page.',
        en: 'This cursor is not of this search: start again from its first page.',
      },
    },
  ],
}

/** What facilities publish of these types never feeds the log view or the register. */
const notOffered = (type: string): Refusal => ({
  reason: 'invalid',
  issues: [
    {
      code: 'not-supported',
      text: {
        fr: `La recherche de ${type} n’est pas encore offerte.`,
        en: `Searching ${type} is not offered yet.`,
      },
    },
  ],
})
