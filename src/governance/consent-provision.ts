/** `Consent.provision`: the three forms that this register knows, and nothing near them. Pure. */
import { elementsOf } from '../fhir/elements.ts'
import { isObject, type JsonObject } from '../fhir/json.ts'
import { idPattern } from '../fhir/types.ts'
import { closedDomains } from '../records/domain.ts'
import type { Actor, Restriction, Scope, What } from './consent-scope.ts'
import {
  actorSystems,
  domainSystem,
  participationType,
  resourceTypeSystem,
  roleSystem,
} from './consent-terms.ts'
import {
  type Issues,
  items,
  onlyMembers,
  readCoding,
  readConcept,
  required,
  wrong,
} from './element-reading.ts'

/**
 * `deny` alone: everything. `deny` with `dataPeriod.end`, a day: everything to the end of that day. `permit` with
 * nested `deny` provisions: what each of them names. Null when it is none of these; then there are issues.
 */
export function readProvision(issues: Issues, value: unknown): Scope | null {
  const at = 'Consent.provision'
  if (value === undefined) required(issues, at)
  if (!isObject(value)) {
    if (value !== undefined) wrong(issues, at, 'attend un objet', 'expects an object')
    return null
  }
  if (value.type === 'permit') {
    onlyMembers(issues, value, at, ['type', 'provision'])
    const nested = items(issues, value.provision, `${at}.provision`)
    if (nested.length === 0) required(issues, `${at}.provision`)
    return { kind: 'restriction', restrictions: nested.map(([path, item]) => readDenial(issues, item, path)) }
  }
  if (value.type !== 'deny') {
    wrong(
      issues,
      `${at}.type`,
      'attend `deny` (tout refuser) ou `permit` (avec des exceptions `deny`)',
      'expects `deny` (refuse everything) or `permit` (with exceptions of type `deny`)',
    )
    onlyMembers(issues, value, at, ['type'])
    return null
  }
  onlyMembers(issues, value, at, ['type', 'dataPeriod'])
  if (value.dataPeriod === undefined) return { kind: 'refusal-total' }
  return readPeriod(issues, value.dataPeriod, `${at}.dataPeriod`)
}

function readPeriod(issues: Issues, value: unknown, at: string): Scope | null {
  const day = isObject(value) ? value.end : undefined
  if (isObject(value)) onlyMembers(issues, value, at, ['end'])
  if (typeof day === 'string' && isDay(day)) return { kind: 'refusal-before', day }
  wrong(issues, `${at}.end`, 'attend un jour, AAAA-MM-JJ', 'expects a day, YYYY-MM-DD')
  return null
}

const isDay = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text.startsWith('0000')) return false
  const time = Date.parse(`${text}T00:00:00.000Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

const nothing: Restriction = { actors: [], what: [] }

/** What is returned beside issues is never used. */
function readDenial(issues: Issues, value: unknown, at: string): Restriction {
  if (!isObject(value)) {
    wrong(issues, at, 'attend un objet', 'expects an object')
    return nothing
  }
  onlyMembers(issues, value, at, ['type', 'actor', 'class', 'code', 'data'])
  if (value.type !== 'deny') wrong(issues, `${at}.type`, 'attend `deny`', 'expects `deny`')
  // Together they would mean what is all of them at once: no rule of this register does.
  const named = ['class', 'code', 'data'].filter((name) => value[name] !== undefined)
  for (const name of named.slice(1))
    wrong(
      issues,
      `${at}.${name}`,
      'un seul de `class`, `code` et `data` par exception',
      'one of `class`, `code` and `data` in each exception',
    )
  // An empty list, which FHIR does not know, would read as everybody or everything.
  for (const name of ['actor', ...named])
    if (Array.isArray(value[name]) && value[name].length === 0) required(issues, `${at}.${name}`)
  const actors = items(issues, value.actor, `${at}.actor`).flatMap(([path, item]) =>
    readActor(issues, item, path),
  )
  const what = [
    ...items(issues, value.class, `${at}.class`).flatMap(([path, item]) => readType(issues, item, path)),
    ...items(issues, value.code, `${at}.code`).flatMap(([path, item]) => readDomain(issues, item, path)),
    ...items(issues, value.data, `${at}.data`).flatMap(([path, item]) => readDocument(issues, item, path)),
  ]
  return { actors, what }
}

function readActor(issues: Issues, value: unknown, at: string): readonly Actor[] {
  if (!isObject(value)) {
    wrong(issues, at, 'attend un objet', 'expects an object')
    return []
  }
  onlyMembers(issues, value, at, ['role', 'reference'])
  if (value.role === undefined) required(issues, `${at}.role`)
  const role = value.role === undefined ? null : readConcept(issues, value.role, `${at}.role`)
  if (!role) return []
  const reference = optionalObject(issues, value.reference, `${at}.reference`)
  if (role.system === roleSystem) {
    // A role of one person or place would be narrower than the role.
    onlyMembers(issues, reference, `${at}.reference`, ['display'])
    return [{ kind: 'role', id: role.code }]
  }
  if (role.system !== participationType || (role.code !== 'IRCP' && role.code !== 'PRCP')) {
    wrong(
      issues,
      `${at}.role`,
      `attend IRCP ou PRCP (${participationType}), ou un rôle (${roleSystem})`,
      `expects IRCP or PRCP (${participationType}), or a role (${roleSystem})`,
    )
    return []
  }
  onlyMembers(issues, reference, `${at}.reference`, ['identifier', 'display'])
  const { identifier } = reference
  const kinds = ['professional', 'facility', 'organisation'] as const
  const kind = isObject(identifier) && kinds.find((known) => actorSystems[known] === identifier.system)
  if (!kind || !isObject(identifier) || typeof identifier.value !== 'string' || identifier.value === '') {
    const systems = Object.values(actorSystems).join(', ')
    wrong(
      issues,
      `${at}.reference.identifier`,
      `attend un identifiant de l’un des systèmes ${systems}`,
      `expects an identifier of one of the systems ${systems}`,
    )
    return []
  }
  onlyMembers(issues, identifier, `${at}.reference.identifier`, ['system', 'value'])
  return [{ kind, id: identifier.value }]
}

function optionalObject(issues: Issues, value: unknown, at: string): JsonObject {
  if (isObject(value)) return value
  if (value !== undefined) wrong(issues, at, 'attend un objet', 'expects an object')
  return {}
}

/** Only of what is about a person can a person restrict something. */
const isAboutPersons = (type: string): boolean => elementsOf(type).person.length > 0

function readType(issues: Issues, value: unknown, at: string): readonly What[] {
  const coding = readCoding(issues, value, at)
  if (!coding) return []
  if (coding.system === resourceTypeSystem && isAboutPersons(coding.code))
    return [{ kind: 'type', id: coding.code }]
  wrong(
    issues,
    at,
    `attend un type de ressource au sujet d’une personne (${resourceTypeSystem})`,
    `expects a type of resource about a person (${resourceTypeSystem})`,
  )
  return []
}

const domains: readonly string[] = closedDomains

function readDomain(issues: Issues, value: unknown, at: string): readonly What[] {
  const coding = readConcept(issues, value, at)
  if (!coding) return []
  if (coding.system === domainSystem && domains.includes(coding.code))
    return [{ kind: 'domain', id: coding.code }]
  const known = domains.join(', ')
  wrong(
    issues,
    at,
    `attend un domaine (${domainSystem}) : ${known}`,
    `expects a domain (${domainSystem}): ${known}`,
  )
  return []
}

function readDocument(issues: Issues, value: unknown, at: string): readonly What[] {
  if (!isObject(value)) {
    wrong(issues, at, 'attend un objet', 'expects an object')
    return []
  }
  onlyMembers(issues, value, at, ['meaning', 'reference'])
  if (value.meaning !== 'instance') wrong(issues, `${at}.meaning`, 'attend `instance`', 'expects `instance`')
  const reference = optionalObject(issues, value.reference, `${at}.reference`)
  onlyMembers(issues, reference, `${at}.reference`, ['reference', 'display'])
  const text = typeof reference.reference === 'string' ? reference.reference : ''
  const [type = '', id = '', ...rest] = text.split('/')
  if (rest.length === 0 && isAboutPersons(type) && idPattern.test(id)) return [{ kind: 'document', id: text }]
  wrong(
    issues,
    `${at}.reference.reference`,
    'attend `Type/[id]` d’un document au sujet d’une personne',
    'expects `Type/[id]` of a document about a person',
  )
  return []
}
