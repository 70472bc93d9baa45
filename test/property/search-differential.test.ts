/**
 * Search against the naive oracle: thousands of searches over every type of the Synthea patients and every parameter of R4, by
 * callers who see different parts of the record, through the real app over SQLite.
 *
 * `DOSSIER_SEARCHES` and `DOSSIER_SEED` choose how many and which.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { elementsOf } from '../../src/fhir/elements.ts'
import { origin } from './cluster.ts'
import { actorOf, mayAsk, statusFor } from './oracle.ts'
import { includedWith, matchesOf, type Parameter, type Sight, sightOf } from './search-answer.ts'
import { definitionOf, valuesOf } from './search-definitions.ts'
import { type Generator, generatorOf, queryOf, type Search, searchOf } from './search-generator.ts'
import { storedRange } from './search-ranges.ts'
import {
  isWholeIdentifier,
  refusedIn,
  type Unsupported,
  unnamedChain,
  unsupported,
} from './search-unsupported.ts'
import { randomFrom } from './search-values.ts'
import { isSyntheaThere, loadSynthea, type SearchWorld, type Served } from './search-world.ts'

const count = Number(process.env.DOSSIER_SEARCHES ?? 20_000)
/** One for everybody, so that a change is told from a draw; others are drawn on purpose (`docs/fhir.md`). */
const seed = Number(process.env.DOSSIER_SEED ?? 101)
const timeout = 3_600_000

interface Entry {
  readonly resource: {
    readonly resourceType: string
    readonly id: string
    readonly meta?: { readonly tag?: readonly { readonly code?: string }[] }
    readonly issue?: readonly { readonly expression?: readonly string[] }[]
  }
  readonly search?: { readonly mode: string }
}
interface Page {
  readonly entry?: readonly Entry[]
  readonly total?: number
  readonly link?: readonly { readonly relation: string; readonly url: string }[]
  readonly issue?: readonly { readonly expression?: readonly string[] }[]
}

interface Answer {
  readonly status: number
  readonly pages: readonly Page[]
}

const entriesOf = ({ pages }: Answer, mode: string): readonly Entry[] =>
  pages.flatMap(({ entry = [] }) => entry.filter(({ search }) => search?.mode === mode))
const idOf = ({ resource }: Entry): string => `${resource.resourceType}/${resource.id}`
/** Not the minimal demographics of somebody whom the caller knows nothing else of. */
const isWhole = ({ resource: { meta } }: Entry): boolean =>
  meta?.tag?.every(({ code }) => code !== 'SUBSETTED') ?? true
const referenceOf = ({ document }: Served): string => `${document.type}/${document.id}`

const pathOf = (search: Search): string => `/fhir/${search.type}?${queryOf(search)}`

/** The answer and the pages that follow it. */
async function ask({ cluster, callers }: SearchWorld, search: Search): Promise<Answer> {
  const caller = callers[search.caller]
  if (!caller) throw new Error(search.caller)
  const pages: Page[] = []
  let next: string | undefined = search.isPosted ? `/fhir/${search.type}/_search` : pathOf(search)
  let init: RequestInit | undefined = search.isPosted
    ? {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: queryOf(search).toString(),
      }
    : undefined
  let status = 0
  while (next !== undefined) {
    if (pages.length > 600) throw new Error('the pages do not end')
    const { response } = await cluster.send(caller, next, init)
    init = undefined
    status = response.status
    const page = JSON.parse(await response.text()) as Page
    pages.push(page)
    next = page.link?.find(({ relation }) => relation === 'next')?.url.slice(origin.length)
  }
  return { status, pages }
}

const refusalsOf = (search: Search): readonly Unsupported[] =>
  refusedIn(search, (type) => type === 'Patient' || elementsOf(type).person.length > 0)

interface Expected {
  readonly status: number
  readonly matched: readonly Served[]
  readonly included: readonly Served[]
  /** People who are told of by little more than what was asked, since nothing else of them may be read. */
  readonly unseen: number
}

/**
 * A provider who looks somebody up by identifier and whole birth date (and family name, no more) is told that they are there,
 * whoever they are.
 */
function unseenOf({ all, meanings }: SearchWorld, matched: readonly Served[], search: Search): number {
  const values = (name: string): readonly string[] =>
    search.filters.filter((filter) => filter.name === name).map(({ value }) => value)
  const [identifier = '', ...identifiers] = values('identifier')
  const [birthdate = '', ...birthdates] = values('birthdate')
  const families = values('family')
  const isLookUp =
    search.type === 'Patient' &&
    isWholeIdentifier(identifier) &&
    !/(?<!\\),/.test(identifier) &&
    /^(eq)?\d{4}-\d{2}-\d{2}$/.test(birthdate) &&
    identifiers.length + birthdates.length === 0 &&
    families.length < 2 &&
    search.filters.length === 2 + families.length
  if (!isLookUp) return 0
  const seen = new Set(matched.map(({ document }) => document.person))
  const known = matchesOf(sightOf(meanings, all), 'Patient', search.filters)
  return new Set(known.map(({ document }) => document.person).filter((person) => !seen.has(person))).size
}

function expectedOf(searched: SearchWorld, sight: Sight, search: Search): Expected {
  const { world, callers } = searched
  const none = (status: number): Expected => ({ status, matched: [], included: [], unseen: 0 })
  const caller = callers[search.caller]
  const actor = caller ? actorOf(world, caller) : null
  if (!caller || !actor) throw new Error(search.caller)
  if (!mayAsk(caller, search.type, 's')) return none(403)
  if (refusalsOf(search).length > 0) return none(400)
  const named = search.patient ?? encounterPatient(sight, search)
  if (named !== null && statusFor(world, actor, named) !== 'permit') return none(403)
  const matched = matchesOf(sight, search.type, search.filters)
  const unseen = caller.kind === 'provider' ? unseenOf(searched, matched, search) : 0
  return { status: 200, matched, included: includedWith(sight, matched, search.includes), unseen }
}

/** A search that names an encounter, and no patient, document or identifier, is about the encounter's patient. */
function encounterPatient(sight: Sight, { filters }: Search): string | null {
  const isNarrower = ({ name, value }: Parameter): boolean =>
    name === '_id' || (name === 'identifier' && isWholeIdentifier(value))
  const encounter = filters.find(({ name }) => name === 'encounter' || name === 'encounter:Encounter')
  if (!encounter || filters.some(isNarrower)) return null
  const id = encounter.value.replace(/^.*\//, '')
  return sight.at(`Encounter/${id}`)?.document.source ?? ''
}

/** What differs, in words; null: nothing. */
function difference(search: Search, answer: Answer, expected: Expected): string | null {
  if (answer.status !== expected.status)
    return `status ${answer.status}, expected ${expected.status}: ${JSON.stringify(answer.pages).slice(0, 600)}`
  if (answer.status === 400) return unnamed(search, answer)
  if (answer.status !== 200) return null
  const matched = entriesOf(answer, 'match')
    .filter((entry) => search.type !== 'Patient' || isWhole(entry))
    .map(idOf)
  const wanted = expected.matched.map(referenceOf)
  if (search.answer._summary === 'count')
    return answer.pages[0]?.total === wanted.length + expected.unseen && matched.length === 0
      ? null
      : `total ${answer.pages[0]?.total}, expected ${wanted.length + expected.unseen}`
  return (
    listDifference('found', matched, wanted) ??
    listDifference(
      'included',
      [...new Set(entriesOf(answer, 'include').map(idOf))].filter((id) => !wanted.includes(id)),
      expected.included.map(referenceOf),
    ) ??
    bodyDifference(search, answer, [...expected.matched, ...expected.included]) ??
    pagesDifference(search, answer, wanted.length + expected.unseen) ??
    unseenDifference(answer, expected) ??
    orderDifference(search, matched, expected.matched)
  )
}

function unseenDifference(answer: Answer, { unseen }: Expected): string | null {
  const minimal = entriesOf(answer, 'match').filter(
    (entry) => entry.resource.resourceType === 'Patient' && !isWhole(entry),
  )
  return minimal.length === unseen ? null : `${minimal.length} told of by little, expected ${unseen}`
}

/** A refusal that does not say what it refuses leaves its caller guessing. */
function unnamed(search: Search, { pages }: Answer): string | null {
  const told = JSON.stringify(pages[0]?.issue ?? [])
  const refused = refusalsOf(search)
  // Who is missing is told once all that is asked for is understood.
  const known = refused.length > 1 ? refused.filter((one) => one !== unnamedChain) : refused
  const silent = known.filter(({ parameter }) => !told.includes(parameter))
  return silent.length === 0
    ? null
    : `does not name ${silent.map(({ parameter }) => parameter).join()}: ${told}`
}

function listDifference(what: string, got: readonly string[], wanted: readonly string[]): string | null {
  const twice = got.filter((id, i) => got.indexOf(id) !== i)
  if (twice.length > 0) return `${what} twice: ${twice.join(' ')}`
  const more = got.filter((id) => !wanted.includes(id))
  const less = wanted.filter((id) => !got.includes(id))
  if (more.length + less.length === 0) return null
  return `${what} ${got.length}, expected ${wanted.length}; too many: ${more.slice(0, 5).join(' ')}; missing: ${less.slice(0, 5).join(' ')}`
}

/** What is found is what is kept, member by member, unless less was asked for. */
function bodyDifference({ answer: { _summary, _elements } }: Search, answer: Answer, all: readonly Served[]) {
  if ((_summary ?? 'false') !== 'false' || _elements !== undefined) return null
  const texts = new Map(all.map((one) => [referenceOf(one), JSON.stringify(one.resource)]))
  const other = [...entriesOf(answer, 'match').filter(isWhole), ...entriesOf(answer, 'include')].find(
    (entry) => texts.has(idOf(entry)) && JSON.stringify(entry.resource) !== texts.get(idOf(entry)),
  )
  return other ? `${idOf(other)} is not what is kept: ${JSON.stringify(other.resource).slice(0, 200)}` : null
}

function pagesDifference({ answer, patient }: Search, { pages }: Answer, total: number): string | null {
  const crowded = pages.find(
    ({ entry = [] }) =>
      entry.filter(({ search }) => search?.mode === 'match').length > Number(answer._count ?? 500),
  )
  if (crowded) return `a page of more than ${answer._count}`
  const told = pages.map((page) => page.total).filter((one) => one !== undefined)
  // Of documents of several people, what the next pages hold is not counted yet.
  const isOpen = patient === null && pages.length > 1
  if (answer._total === 'accurate' && told.length === 0 && !isOpen) return 'no total, though it was asked for'
  return told.some((one) => one !== total) ? `total ${told.join()}, expected ${total}` : null
}

/** What documents are sorted by, as text in its order; of several values the one that comes first. Null where it says none. */
function sortKey(by: string, isDescending: boolean, { resource }: Served): string | null {
  if (by === '_id') return resource.id
  if (by === '_lastUpdated') return (resource.meta as { lastUpdated: string }).lastUpdated
  const starts = valuesOf(resource, definitionOf(resource.resourceType, by).expression)
    .map((value) => storedRange(value)?.lo)
    .filter((lo) => lo !== undefined && Number.isFinite(lo))
    .map((lo) => new Date(lo ?? 0).toISOString())
    .sort()
  return starts.at(isDescending ? -1 : 0) ?? null
}

function orderDifference(
  { answer: { _sort = '' } }: Search,
  got: readonly string[],
  matched: readonly Served[],
): string | null {
  if (_sort === '') return null
  const isDescending = _sort.startsWith('-')
  const byReference = new Map(matched.map((one) => [referenceOf(one), one]))
  const keys = got
    .map((id) => sortKey(_sort.replace('-', ''), isDescending, byReference.get(id) as Served))
    .filter((key) => key !== null)
  const sorted = [...keys].sort()
  if (isDescending) sorted.reverse()
  return keys.join() === sorted.join() ? null : `order by ${_sort}: ${keys.slice(0, 8).join(' ')}`
}

describe.skipIf(!isSyntheaThere)('searches over the Synthea patients', () => {
  let world: SearchWorld
  let generator: Generator
  beforeAll(async () => {
    world = await loadSynthea()
    generator = generatorOf(randomFrom(seed), world)
  }, timeout)
  afterAll(() => world?.cluster.close())

  test(
    `find what a naive reading of the specification finds: ${count} of them, seed ${seed}`,
    async () => {
      const seen = { found: 0, empty: 0, forbidden: 0, refused: 0 }
      const byType = new Map<string, { searches: number; found: number }>()
      const refused = new Set<string>()
      const differences: string[] = []
      for (let n = 0; n < count; n++) {
        if (n % 500 === 0) world.cluster.records.db.exec(`update heartbeat set at = ${Date.now()}`)
        const search = searchOf(generator, n)
        const expected = expectedOf(world, generator.sights.get(search.caller) as Sight, search)
        const answer = await ask(world, search)
        const differs = difference(search, answer, expected)
        if (differs !== null)
          differences.push(
            `#${n} ${search.caller} ${decodeURIComponent(pathOf(search).replaceAll('+', ' '))}\n    ${differs}`,
          )
        for (const one of refusalsOf(search)) refused.add(`${one.type}.${one.parameter}`)
        const tally = byType.get(search.tried.type) ?? { searches: 0, found: 0 }
        tally.searches++
        if (expected.matched.length > 0) tally.found++
        byType.set(search.tried.type, tally)
        if (expected.status === 400) seen.refused++
        else if (expected.status === 403) seen.forbidden++
        else if (expected.matched.length > 0) seen.found++
        else seen.empty++
      }
      console.info(`seed ${seed}`, seen, Object.fromEntries(byType))
      expect(differences.slice(0, 20), `${differences.length} of ${count} differ`).toEqual([])
      // What is said to be refused is refused: a reason that has gone must go from the list.
      expect(
        [...unsupported, unnamedChain]
          .map((one) => `${one.type}.${one.parameter}`)
          .filter((one) => !refused.has(one)),
      ).toEqual([])
      expect(seen.found).toBeGreaterThan(count / 5)
    },
    timeout,
  )
})
