/**
 * `GET /fhir/{Type}?…` and `POST /fhir/{Type}/_search`: one read batch per database, merged, decided row by row, paged by a
 * sealed cursor. Chains and includes are further batches.
 */
import * as z from 'zod'
import { type Basis, decideRow, noCodings, type Situation } from '../access/policy.ts'
import { allowsRow, grantsFor } from '../access/scope.ts'
import type { Disclosure, Loaded, Operation } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import type { Issue } from '../fhir/outcome.ts'
import { parsePrefer } from '../fhir/prefer.ts'
import { parseSearch, type SearchQuery } from '../fhir/search.ts'
import { linksOf } from '../fhir/search-answer-query.ts'
import { isSearched, searchParametersOf } from '../fhir/search-parameters.ts'
import { resourceTypes } from '../fhir/types.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { type Cursors, createCursors, type Position } from './cursor.ts'
import { knownIdentities, minimalPatient } from './identity-look-up.ts'
import { disclosedOf, emergencyOf, judge, merge, type Page, type PageRow } from './page.ts'
import { badCursor, bindingOf, searchPath } from './paging.ts'
import { normalFamily } from './person.ts'
import { searchset } from './search-answer.ts'
import { includedOf } from './search-include.ts'
import { loadPage, type PageAsked, type PageLoaded } from './search-load.ts'
import { admit, resolveSearch, type SearchContext } from './search-resolve.ts'
import { eachRow, runningSum } from './search-sql.ts'

const param = z.object({ type: z.string() })
const query = z.record(z.string(), z.union([z.string(), z.array(z.string())]))

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
  linksOf,
  // From the address itself: a record of parameters loses names such as `__proto__`.
  handle: (ctx) => search(ctx, ctx.url.searchParams),
}

export const searchTypeByPost: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  ...searchType,
  name: 'search-type-post',
  method: 'POST',
  path: '/fhir/:type{[A-Z][A-Za-z]*}/_search',
  bodyTypes: ['application/x-www-form-urlencoded'],
  handle: searchByPost,
}

/** What is asked in the body counts like what is asked in the address, and stands in the entry with it. */
async function searchByPost(ctx: SearchContext): Promise<Result<Disclosure, Refusal>> {
  const rights = await ctx.load(() => ({}))
  if (!rights.ok) return rights
  const body = await ctx.body()
  if (!body.ok) return body
  ctx.asked(body.value)
  // UTF-8 takes at least one byte for each unit of the text.
  if (body.value.length > limits.maxSearchFormBytes)
    return err({ reason: 'body-too-large', maxBytes: limits.maxSearchFormBytes })
  return await search(ctx, new URLSearchParams([...ctx.url.searchParams, ...new URLSearchParams(body.value)]))
}

async function search(ctx: SearchContext, asked: URLSearchParams): Promise<Result<Disclosure, Refusal>> {
  const { type } = ctx.param
  if (!resourceTypes.has(type)) return err({ reason: 'no-such-path', path: ctx.url.pathname })
  if (!isSearched(type)) return err(notOffered(type))
  const isLenient = parsePrefer(ctx.prefer).handling === 'lenient'
  const parsed = parseSearch(type, asked, { baseUrl: `${ctx.origin}/fhir/`, isLenient })
  if (!parsed.ok) return err({ reason: 'invalid', issues: parsed.error.slice(0, limits.maxIssues) })
  const wanted = parsed.value

  const cursors = createCursors(ctx.keys.cursorKey)
  const after = wanted.cursor === null ? null : await cursors.open(wanted.cursor, bindingOf(ctx, asked))
  if (wanted.cursor !== null && after === null) return err(badCursor)

  const resolved = await resolveSearch(ctx, wanted)
  if (!resolved.ok) return resolved
  const found = await findPage(ctx, { wanted, resolved: resolved.value, after })
  if (!found.ok) return found
  return await disclosure(ctx, wanted, found.value, {
    self: selfLink(ctx, asked, wanted.ignoredNames),
    after: (position) => nextLink(ctx, asked, cursors, position),
  })
}

interface Found {
  readonly loaded: PageLoaded
  readonly page: Page
  readonly basis: Basis | null
}

type Sought = Pick<PageAsked, 'wanted' | 'resolved' | 'after'>

/** The page, asked for again where more must be known first: of the caller, of large texts, or of what to include. */
async function findPage(ctx: SearchContext, sought: Sought): Promise<Result<Found, Refusal>> {
  const { wanted } = sought
  const load = async (more: Partial<PageAsked>) => {
    const loaded = await loadPage(ctx, { ...sought, bound: eachRow, known: null, referring: null, ...more })
    if (!loaded.ok) return loaded
    if (loaded.value.isTooMany)
      return err<Refusal>({
        reason: 'too-costly',
        of: 'persons',
        got: limits.maxNamesakes,
        max: limits.maxNamesakes,
      })
    const admitted = admit(loaded.value.loaded, wanted)
    return admitted.ok ? ok({ loaded: loaded.value, basis: admitted.value }) : admitted
  }
  let asked: Partial<PageAsked> = {}
  let answer = await load(asked)
  if (!answer.ok) return answer
  const again = async (more: Partial<PageAsked>) => {
    asked = { ...asked, known: answer.ok ? answer.value.loaded.loaded : null, ...more }
    answer = await load(asked)
    return answer
  }
  if (needsFacts(answer.value.loaded, wanted)) {
    answer = await again({})
    if (!answer.ok) return answer
  }
  let page = pageOf(answer.value.loaded, wanted)
  if (page.isCut) {
    answer = await again({ bound: runningSum })
    if (!answer.ok) return answer
    page = pageOf(answer.value.loaded, wanted)
    // The first row of a statement has its body; only one that a document just left for another can begin without.
    if (page.isCut && page.rows.length === 0)
      return err({ reason: 'store-unavailable', detail: 'a document is moving between the databases' })
  }
  const isIncluding = wanted.includes.length + wanted.revincludes.length > 0
  if (isIncluding && wanted.summary !== 'count' && page.rows.length > 0) {
    answer = await again({ referring: page.rows })
    if (!answer.ok) return answer
    page = pageOf(answer.value.loaded, wanted)
  }
  return ok({ ...answer.value, page })
}

async function disclosure(
  ctx: SearchContext,
  wanted: SearchQuery,
  { loaded: answer, page, basis: admitted }: Found,
  links: { readonly self: string; readonly after: (position: Position) => Promise<string> },
): Promise<Result<Disclosure, Refusal>> {
  const { type } = ctx.param
  const { loaded } = answer
  const { caller, isLocalMissing } = loaded
  const situationOf = (of: string, interaction: 'r' | 's'): Situation => ({
    ...loaded,
    grants: grantsFor(ctx.scopes, caller.kind, { type: of, interaction }),
  })
  const situation = situationOf(type, 's')
  // Paging follows what was read, releasing follows the policy: a page may be shorter than asked, never skip a row.
  const judged = judge(caller, situation, page.rows)
  const isCount = wanted.summary === 'count'
  // Rows of a count tell whom it is about: they are not released.
  const rows = isCount ? [] : judged.rows
  const included = includedOf(answer.included, rows, (rows, of) => judge(caller, situationOf(of, 'r'), rows))
  const strangers = strangersOf(ctx, wanted, answer, situation.grants, judged.rows)
  const disclosed = [
    ...disclosedOf([...rows, ...included.rows]),
    ...strangers.map(({ person }) => ({ patient: person, resources: [] })),
  ]
  // A search about one patient is that patient's access, also when it finds nothing; a count is that of all it counts.
  const concerned =
    isCount || (disclosed.length === 0 && wanted.named.by === 'person')
      ? loaded.subjects.map(({ person }) => ({ patient: person, resources: [] }))
      : disclosed
  // Only a look-up by identifier or name can meet several persons; so many share one only by mistake.
  if (concerned.length > limits.maxAccessPatients)
    return err({ reason: 'too-costly', of: 'patients', got: concerned.length, max: limits.maxAccessPatients })
  const last = isCount ? undefined : page.rows.at(-1)
  const next = page.more && last ? await links.after({ keys: last.keys, id: last.id }) : null
  const basis = judged.basis ?? admitted
  const isEmergency = basis === 'break-glass'
  return ok({
    status: 200,
    contentType: 'application/fhir+json; charset=utf-8',
    body: searchset({
      origin: ctx.origin,
      self: links.self,
      next,
      language: ctx.language,
      rows,
      included: included.rows,
      others: isCount ? [] : strangers.map(({ body }) => body),
      total: isCountWhole(wanted, answer, page) ? (answer.total ?? 0) + strangers.length : null,
      warnings: [
        ...(isLocalMissing ? [localMissing] : []),
        ...(included.isCut || answer.isIncludeCut ? [includesCut] : []),
        ...wanted.ignored,
      ],
      parts: wanted,
    }),
    disclosed: concerned,
    reason: isEmergency ? 'break-glass' : strangers.length > 0 ? 'identity-look-up' : judged.reason,
    breakGlassReason: isEmergency ? emergencyOf(caller, situation) : null,
    mismatches: [...judged.mismatches, ...included.mismatches],
    ...(basis === null ? {} : { note: { basis } }),
  })
}

/** A provider's local documents are counted of people whom rows of this page are about. */
function isCountWhole({ named }: SearchQuery, { total, loaded }: PageLoaded, { more }: Page): boolean {
  const { caller, hasLocal, isLocalMissing } = loaded
  const isAboutOthers =
    more && hasLocal && caller.kind === 'provider' && named.by !== 'person' && named.by !== 'type'
  return total !== null && !isLocalMissing && !isAboutOthers
}

/**
 * Persons whom the identifier finds and of whom the caller may read no `Patient`: told as little as it takes to attest a care
 * relationship or declare an emergency, the same whatever stands in the way; of nobody whom the token's scopes leave out.
 */
function strangersOf(
  { origin }: SearchContext,
  { identity }: SearchQuery,
  { loaded: { caller }, identities }: PageLoaded,
  grants: Situation['grants'],
  permitted: readonly PageRow[],
) {
  if (caller.kind !== 'provider' || !identity?.isAll) return []
  const seen = new Set(permitted.map(({ person }) => person))
  const { families } = identity
  return knownIdentities(identities)
    .filter(({ person }) => !seen.has(person))
    .filter(({ family }) => families?.some((text) => family.startsWith(normalFamily(text))) ?? true)
    .filter(({ person }) => allowsRow(grants, { isInContext: person === caller.contextPerson, ...noCodings }))
    .map((known) => ({ person: known.person, body: minimalPatient(known, origin) }))
}

/** Rows that the policy refuses count for nothing: neither towards `_count`, nor as what comes next. */
const pageOf = ({ shared, local, loaded, order }: PageLoaded, { count }: SearchQuery): Page =>
  merge([...shared, ...local], count, (row) => row.shared || isOpenTo(loaded, row), order.compare)

/** What the local database was not asked: it knows the facility and, of scopes, the codings. */
const isOpenTo = ({ caller, subjects, settings }: Loaded, row: PageRow): boolean =>
  decideRow(caller, { subjects, settings, grants: null }, { ...row, codings: noCodings }).outcome === 'permit'

/**
 * The local rows that were asked for may hide others behind some that the policy refuses, and a count of them would count
 * those.
 */
const needsFacts = ({ loaded, local }: PageLoaded, { count, isTotalWanted }: SearchQuery): boolean =>
  (isTotalWanted && loaded.caller.kind === 'provider' && loaded.hasLocal) ||
  local.some((rows) => rows.length > count && !rows.every((row) => isOpenTo(loaded, row)))

/** What was answered (R4 §3.1.1.6): with what a body asked, without what was passed over. */
function selfLink({ url }: SearchContext, asked: URLSearchParams, ignoredNames: readonly string[]): string {
  if (ignoredNames.length === 0 && searchPath(url) === url.pathname) return url.href
  const self = new URL(searchPath(url), url)
  const heeded = [...asked].filter(([name]) => !ignoredNames.includes(name))
  self.search = new URLSearchParams(heeded).toString()
  return self.href
}

async function nextLink(
  ctx: SearchContext,
  asked: URLSearchParams,
  cursors: Cursors,
  position: Position,
): Promise<string> {
  const next = new URL(searchPath(ctx.url), ctx.url)
  next.search = asked.toString()
  next.searchParams.set('_cursor', await cursors.seal(position, bindingOf(ctx, asked)))
  return next.href
}

const localMissing: Issue = {
  code: 'incomplete',
  text: {
    fr: 'Les documents non partagés de votre établissement n’ont pu être lus : la liste est incomplète.',
    en: 'The unshared documents of your facility could not be read: this list is incomplete.',
  },
}

const includesCut: Issue = {
  code: 'incomplete',
  text: {
    fr: 'Les ressources à joindre sont trop nombreuses : il en manque. Demandez une page plus courte.',
    en: 'There are too many resources to include: some are missing. Ask for a shorter page.',
  },
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
