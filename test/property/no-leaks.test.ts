/**
 * No leaks by join: nothing outside what a caller may see influences a byte of an answer. Operations and parameters are
 * drawn from the tables that drive the app, so what is added to them is tested here without a change, or fails here.
 */
import fc, { type GeneratorValue } from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { alarmCounts } from '../../src/disclosure/alarms.ts'
import type { Operation } from '../../src/disclosure/operation.ts'
import { parseDate } from '../../src/fhir/date.ts'
import { searchParametersOf } from '../../src/fhir/search-parameters.ts'
import { resourceTypes } from '../../src/fhir/types.ts'
import { type Caller, callerIn } from './caller.ts'
import { bodyOf, type Cluster, type Cost, deletionOf, earlierOf, origin, startCluster } from './cluster.ts'
import {
  actorOf,
  isRelated,
  mayAsk,
  permits,
  permitsDocument,
  permitsEarlier,
  permitsEnd,
  statusFor,
  withoutCodings,
} from './oracle.ts'
import { type Drawn, documentOperations, matches, requestIn } from './requests.ts'
import { type Document, type World, world } from './world.ts'

const runs = (usual: number) => ({
  numRuns: usual * (process.env.DOSSIER_FULL ? 20 : 1),
})
/** Long enough for a failure to be made small. */
const timeout = 3_600_000

interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: string
  readonly cost: Cost
}

/** What differs between two answers to the same question in the same world. */
const volatile = ['dossier-receipt', 'x-request-id', 'dossier-clock', 'date']

/** The answer and the pages that follow it; a cursor stands for what it leads to. */
async function follow(cluster: Cluster, caller: Caller, path: string): Promise<readonly Answer[]> {
  const pages: Answer[] = []
  let next: string | undefined = path
  while (next !== undefined) {
    if (pages.length > 100) throw new Error(`the pages of ${path} do not end`)
    const { response, cost } = await cluster.send(caller, next)
    const body = await response.text()
    pages.push({
      status: response.status,
      headers: [...response.headers]
        .filter(([name]) => !volatile.includes(name))
        .map((pair) => pair.join(': ')),
      body: body.replaceAll(/_cursor=[\w-]+/g, '_cursor=*'),
      cost,
    })
    const links = response.status === 200 ? ((JSON.parse(body) as Partial<Searchset>).link ?? []) : []
    next = links.find(({ relation }) => relation === 'next')?.url.slice(origin.length)
  }
  return pages
}

interface Searchset {
  readonly link: readonly { readonly relation: string; readonly url: string }[]
  readonly entry?: readonly {
    readonly fullUrl: string
    /** Not there for the end of a document. */
    readonly resource?: Found
    readonly response?: { readonly etag: string }
  }[]
}
interface Found {
  readonly resourceType: string
  readonly id: string
  readonly meta: { readonly versionId?: string; readonly tag?: readonly { readonly code: string }[] }
}

const bytes = (pages: readonly Answer[]) =>
  pages.map(({ status, headers, body }) => ({ status, headers, body }))

interface Case {
  readonly world: World
  readonly caller: Caller
  readonly requests: readonly Drawn[]
  readonly interaction: string
  readonly isLocalAway: boolean
}

/** All of the table; those that return documents more often. */
const ofOperation = () => {
  const often = [
    'read',
    'read',
    'vread',
    'history',
    'history',
    'history-type',
    'history-type',
    'search-type',
    'search-type',
    'search-type',
    'search-type',
  ]
  return fc.constantFrom(...documentOperations.map(({ name }) => name), ...often)
}
const operationOf = (wanted: string): Operation => {
  const operation = documentOperations.find(({ name }) => name === wanted)
  if (!operation) throw new Error(wanted)
  return operation
}
const requestsIn = (world: World, caller: Caller, operation: string, isValid: boolean) => {
  const actor = actorOf(world, caller)
  const cared = world.sources.filter(({ person }) => actor !== null && isRelated(world, actor, person))
  const asked = { world, cared: cared.map(({ id }) => id), isValid }
  return fc.array(requestIn(asked, operationOf(operation)), { minLength: 4, maxLength: 8 })
}
const rarely = () => fc.constantFrom(false, false, false, false, true)
const aWorld = () => world

function draw(g: GeneratorValue, isValid: boolean): Case {
  const drawn = g(aWorld)
  const caller = g(callerIn, drawn)
  const operation = g(ofOperation)
  const requests = g(requestsIn, drawn, caller, operation, isValid)
  const interaction = operationOf(operation).scope(requests[0]?.param)?.interaction
  if (interaction === undefined) throw new Error(`${operation}: which scope does it need?`)
  return {
    world: drawn,
    caller,
    requests,
    interaction,
    isLocalAway: !isValid && g(rarely),
  }
}

/** Other content, as long as that opens it to nobody new. */
function changed({ world, caller, interaction }: Case, document: Document, i: number): Document {
  const date = [
    ['2024-01-01T08:30:00.000Z', '2024-01-01T08:30:00.000Z'],
    ['1999-01-01T00:00:00.000Z', '1999-12-31T23:59:59.999Z'],
  ][i % 2] as [string, string]
  const content = {
    ...document,
    codes: ['http://loinc.org|718-7', 'urn:other|718-7'],
    categories: ['|laboratory', 'urn:category|laboratory'],
    text: 'changed '.repeat(1 + (i % 3) * 500),
    version: document.version + 3,
  }
  const candidates = [
    { ...content, ...(document.dateLo === '' ? {} : { dateLo: date[0], dateHi: date[1] }), status: 'final' },
    content,
    { ...document, text: content.text },
  ]
  return candidates.find((candidate) => !permits(world, caller, candidate, interaction)) ?? document
}

/** Other content of the versions that the caller may not see of a document that he may. */
function changedEarlier({ world, caller, interaction }: Case, document: Document, i: number): Document {
  const text = 'changed earlier '.repeat(1 + (i % 3) * 500)
  const isSeen = (version: number): boolean =>
    earlierOf(document).some(
      (earlier) =>
        earlier.version === version && permitsEarlier(world, caller, earlier, document, interaction),
    )
  const { first } = document
  return {
    ...document,
    first: first && !isSeen(1) ? { ...first, text } : first,
    text: document.isDeleted && !isSeen(document.version) ? text : document.text,
  }
}

async function expectSame(one: Case, other: World, requests = one.requests): Promise<void> {
  const [a, b] = [startCluster(one.world), startCluster(other)]
  try {
    for (const cluster of [a, b]) cluster.isLocalAway.value = one.isLocalAway
    for (const { path } of requests)
      expect(bytes(await follow(b, one.caller, path)), path).toEqual(bytes(await follow(a, one.caller, path)))
  } finally {
    a.close()
    b.close()
  }
}

afterEach(() => {
  vi.restoreAllMocks()
})

/** A defect of the app is not hidden in two equal answers. */
function watchAlarms(): void {
  vi.spyOn(console, 'error').mockImplementation((line) => {
    throw new Error(String(line))
  })
}

test(
  'documents that a caller may not see do not influence a byte: not by being there, not by what they say',
  async () => {
    watchAlarms()
    let hidden = 0
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (g) => {
        const one = draw(g, false)
        const isPermitted = (document: Document) =>
          permitsDocument(one.world, one.caller, document, one.interaction)
        const without = one.world.documents.filter(isPermitted)
        if (without.length > 0) hidden += one.world.documents.length - without.length
        await expectSame(one, { ...one.world, documents: without })
        const other = one.world.documents.map((document, i) =>
          isPermitted(document) ? changedEarlier(one, document, i) : changed(one, document, i),
        )
        await expectSame(one, { ...one.world, documents: other })
      }),
      runs(80),
    )
    expect(hidden).toBeGreaterThan(0)
  },
  timeout,
)

test(
  'persons whom the caller does not care for do not influence a byte, but for the look-up by identifier',
  async () => {
    watchAlarms()
    let strangers = 0
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (g) => {
        const one = draw(g, false)
        const actor = actorOf(one.world, one.caller)
        // The officer of the whole record keeps everybody's refusals.
        const isKnown = (person: string): boolean =>
          one.caller.kind === 'office' ||
          (actor !== null &&
            (actor.kind === 'provider'
              ? isRelated(one.world, actor, person)
              : one.world.documents.some(
                  (document) => document.person === person && document.facility === actor.facility,
                )))
        const { sources } = one.world
        const known = sources.filter(({ person }) => isKnown(person))
        strangers += sources.length - known.length
        const isOfKnown = ({ source }: { readonly source: string }) => known.some(({ id }) => id === source)
        const bare: World = {
          ...one.world,
          documents: one.world.documents.filter((document) => document.source === '' || isOfKnown(document)),
          relationships: one.world.relationships.filter(isOfKnown),
          rules: one.world.rules.filter(isOfKnown),
          emergencies: one.world.emergencies.filter(isOfKnown),
        }
        const isLookUp = ({ operation, param }: Drawn) =>
          operation === 'search-type' && param.type === 'Patient'
        // The look-up tells what the register of persons says, and nothing else about them.
        await expectSame(one, bare, one.requests.filter(isLookUp))
        await expectSame(
          one,
          { ...bare, sources: known },
          one.requests.filter((request) => !isLookUp(request)),
        )
      }),
      runs(50),
    )
    expect(strangers).toBeGreaterThan(0)
  },
  timeout,
)

test(
  'a caller gets everything that is permitted and asked for, in order and once, and nothing else; the log says the same',
  async () => {
    watchAlarms()
    const seen = { found: 0, pages: 0, looked: 0, earlier: 0, ends: 0, refused: 0, emptied: 0 }
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (g) => {
        const one = draw(g, true)
        const cluster = startCluster(one.world)
        const alarms = alarmCounts.get('policy-mismatch') ?? 0
        try {
          for (const request of one.requests) {
            const pages = await follow(cluster, one.caller, request.path)
            expectLogged(one.world, pages)
            const expected = expectedOf(one, request)
            const found = pages.flatMap(resourcesOf)
            const full = found.filter((resource) => !isMinimal(resource) && !isEnd(resource))
            expect(found.filter(isEnd).map(({ id }) => id)).toEqual(expected.ends)
            expect(pages.map(({ status }) => status)).toEqual(pages.map(() => expected.status))
            expect(
              full.map(({ id }) => id),
              request.path,
            ).toEqual(expected.documents.map(({ id }) => id))
            for (const document of expected.documents)
              expect(full).toContainEqual(JSON.parse(bodyOf(document)) as Found)
            seen.found += full.length
            seen.pages += pages.length - 1
            seen.looked += found.filter(isMinimal).length
            seen.earlier += full.filter(({ meta }) => meta.versionId === '1').length
            seen.ends += found.filter(isEnd).length + (expected.status === 410 ? 1 : 0)
            if (expected.status !== 200) seen.refused++
            else if (full.length === 0) seen.emptied++
          }
          expect(alarmCounts.get('policy-mismatch') ?? 0).toBe(alarms)
        } finally {
          cluster.close()
        }
      }),
      runs(200),
    )
    // A generator that only makes strangers would prove nothing.
    for (const times of Object.values(seen)) expect(times).toBeGreaterThan(0)
  },
  timeout,
)

function resourcesOf({ status, body }: Answer): readonly Found[] {
  if (status !== 200) return []
  const answer = JSON.parse(body) as Found & Searchset
  if (answer.resourceType === 'Bundle' && 'link' in answer)
    return (answer.entry ?? []).map(({ resource, fullUrl, response }) => {
      if (resource) return resource
      const [id = '', resourceType = ''] = fullUrl.split('/').reverse()
      const versionId = response?.etag.replaceAll(/[W/"]/g, '') ?? ''
      return { resourceType, id, meta: { versionId, tag: [{ code: 'DELETED' }] } }
    })
  return [answer]
}

const isTagged = ({ meta }: Found, tag: string): boolean =>
  meta.tag?.some(({ code }) => code === tag) ?? false
const isMinimal = (found: Found): boolean => isTagged(found, 'SUBSETTED')
const isEnd = (found: Found): boolean => isTagged(found, 'DELETED')

/** One access of one or more entries per request, with exactly the references that left, each under its patient. */
function expectLogged(world: World, pages: readonly Answer[]): void {
  for (const page of pages) {
    const [entries, ...others] = page.cost.appends
    expect([entries?.length ?? 0, others.length]).toEqual([expect.any(Number), 0])
    if (!entries) throw new Error('no append')
    for (const { decision, status } of entries) {
      expect(decision.detail ?? '').not.toContain('policy-mismatch')
      expect(status).toBe(page.status)
      expect(decision.outcome).toBe([200, 410].includes(page.status) ? 'permit' : 'deny')
    }
    if (page.status === 410) {
      const [reference = '', ...more] = entries.flatMap(({ resources }) => resources)
      const ended = world.documents.map((document) => {
        const { type, id, version } = deletionOf(document)
        return document.isDeleted ? `${type}/${id}/_history/${version}` : ''
      })
      expect([ended.includes(reference), more]).toEqual([true, []])
      continue
    }
    const reference = ({ resourceType, id, meta }: Found) =>
      `${resourceType}/${id}/_history/${meta.versionId}`
    const disclosed = resourcesOf(page)
      .filter((resource) => !isMinimal(resource))
      .map(reference)
    expect(entries.flatMap(({ resources }) => resources).sort()).toEqual(disclosed.sort())
    for (const { patient, resources } of entries)
      for (const resource of resources) {
        const [type, id] = resource.split('/')
        const person = world.documents.find(
          (document) => document.type === type && document.id === id,
        )?.person
        if (person) expect(patient).toBe(person)
      }
  }
}

/** An officer of the whole record reads the register, which is empty here. */
function registerStatus({ world, caller, interaction }: Case, { operation, parameters }: Drawn): number {
  const isDocuments = operation === 'vread' || operation === 'history-type'
  if (isDocuments || !mayAsk(caller, 'Consent', interaction)) return 403
  if (operation !== 'consent-search') return 404
  const source = parameters.find(({ name }) => name === 'patient')?.value.replace('Patient/', '')
  return world.sources.some(({ id }) => id === source) ? 200 : 403
}

interface Expected {
  readonly status: number
  readonly documents: readonly Document[]
  /** Ids of documents whose end is told. */
  readonly ends: readonly string[]
}

/** Every version of one document that the caller may see, newest first, its end included; none: not even that there was one. */
function versionsFor({ world, caller, interaction }: Case, type: string, id: string): readonly Document[] {
  const document = world.documents.find((one) => one.type === type && one.id === id)
  if (!document || !permitsDocument(world, caller, document, interaction)) return []
  const earlier = earlierOf(document).filter((one) =>
    permitsEarlier(world, caller, one, document, interaction),
  )
  return [document.isDeleted ? deletionOf(document) : document, ...earlier]
}

/** Every version that the caller's facility published of the type, ends included, by when, id and version. */
function feedFor({ world, caller, interaction }: Case, type: string, { parameters }: Drawn): Expected {
  const isRefused = caller.kind !== 'system' || !mayAsk(withoutCodings(caller), type, interaction)
  if (isRefused) return { status: 403, documents: [], ends: [] }
  if (!resourceTypes.has(type) || ['AuditEvent', 'Consent'].includes(type))
    return { status: 404, documents: [], ends: [] }
  const from = sinceOf(parameters)
  const order = (one: Document): string => `${one.published} ${one.id} ${one.version}`
  const versions = world.documents
    .filter((document) => document.type === type && permitsEnd(world, caller, document, interaction))
    .flatMap((document) => [document.isDeleted ? deletionOf(document) : document, ...earlierOf(document)])
    .filter(({ published }) => published >= from)
    .sort((a, b) => (order(a) < order(b) ? 1 : -1))
  return {
    status: 200,
    documents: versions.filter(({ isDeleted }) => !isDeleted),
    ends: versions.filter(({ isDeleted }) => isDeleted).map(({ id }) => id),
  }
}

function sinceOf(parameters: Drawn['parameters']): string {
  const since = parameters.find(({ name }) => name === '_since')?.value
  return since === undefined ? '' : (parseDate(since)?.lo ?? '')
}

function expectedOf(one: Case, request: Drawn): Expected {
  const { world, caller, interaction } = one
  const none = (status: number): Expected => ({ status, documents: [], ends: [] })
  const actor = actorOf(world, caller)
  const { id = '', version = '' } = request.param
  const type = operationOf(request.operation).scope(request.param)?.type ?? ''
  // `/fhir/Consent` is the register's, whichever operation the path was drawn for.
  if (caller.kind === 'office' && type === 'Consent') return none(registerStatus(one, request))
  if (actor === null || !mayAsk(caller, type, interaction)) return none(403)
  if (request.operation === 'history' && type === 'Consent') return none(403)
  const ofVersion = (document: Document | undefined): Expected => {
    if (!document) return none(404)
    return document.isDeleted ? none(410) : { status: 200, documents: [document], ends: [] }
  }
  switch (request.operation) {
    case 'consent-history':
      return none(403)
    case 'consent-search':
      return none(400)
    case 'consent-read':
    case 'read':
      return ofVersion(versionsFor(one, type, id)[0])
    case 'vread':
      return ofVersion(versionsFor(one, type, id).find((document) => String(document.version) === version))
    case 'history': {
      const versions = versionsFor(one, type, id)
      if (versions.length === 0) return none(404)
      const from = sinceOf(request.parameters)
      const asked = versions.filter(({ published }) => published >= from)
      return {
        status: 200,
        documents: asked.filter(({ isDeleted }) => !isDeleted),
        ends: asked.filter(({ isDeleted }) => isDeleted).map((document) => document.id),
      }
    }
    case 'history-type':
      return feedFor(one, type, request)
    case 'search-type': {
      const persons = searchParametersOf(type).filter(({ isPerson }) => isPerson)
      const person = request.parameters.find(({ name }) => persons.some((one) => one.name === name))
      const source = person?.value.replace('Patient/', '')
      if (source !== undefined && statusFor(world, actor, source) !== 'permit') return none(403)
      const documents = world.documents
        .filter((document) => !document.isDeleted && permits(world, caller, document, interaction))
        .filter((document) => matches(world, request, document))
        .sort((a, b) => (a.dateLo === b.dateLo ? (a.id < b.id ? -1 : 1) : a.dateLo > b.dateLo ? -1 : 1))
      return { status: 200, documents, ends: [] }
    }
    default:
      throw new Error(`what does ${request.operation} answer?`)
  }
}
