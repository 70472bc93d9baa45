/**
 * The persons a published resource is about: those it names itself, and those named by what is stored inside it, which is
 * read together with it (contained resources, a `Bundle`, the resources of `Parameters`).
 */
import type { Resource } from '../fhir/bundle.ts'
import { codingText, type Identifier, identifiersOf } from '../fhir/codings.ts'
import { elementsOf } from '../fhir/elements.ts'
import { isObject, type JsonObject } from '../fhir/json.ts'
import { baseOfFullUrl, type ReferenceScope, resolveReference } from '../fhir/references.ts'
import { idPattern } from '../fhir/types.ts'
import { isGloballyUnique, type ServerIds } from './identity.ts'
import type { PlanContext } from './plan-context.ts'

/** What names of persons in one published bundle can mean. */
export interface PersonScope {
  readonly context: Pick<PlanContext, 'identitySystems' | 'personSystems'>
  readonly ids: ServerIds
  readonly references: ReferenceScope
  /** Type and server id of the entry at `index`. */
  readonly entryAt: (index: number) => { readonly type: string; readonly id: string }
}

export interface NamedPersons {
  /** Server ids of `Patient`s, each once, with the path of the first element that names it. */
  readonly known: ReadonlyMap<string, string>
  /** Paths of whole `Patient`s inside, each another person, of whom no server id can be told. */
  readonly unknownPatients: readonly string[]
  /** Paths of elements that name a person of whom no server id can be told. */
  readonly unknown: readonly string[]
}

/** A server id, null for a person without one, undefined for what is no person. */
type Meaning = string | null | undefined

/** Where a resource stands that names persons. */
interface Place {
  readonly path: string
  /** Whom a reference other than to a contained resource means. */
  readonly meaning: (reference: string) => Meaning
  /** What `#` and `#id` refer into, and whom it is when it is a `Patient`. */
  readonly container: JsonObject
  readonly containerPerson: Meaning
}

/**
 * @param resource with its references rewritten
 * @param id its server id
 * @param base of the fullUrl of its entry (`baseOfFullUrl`)
 */
export function personsNamed(
  resource: Resource,
  id: string,
  base: string | null,
  scope: PersonScope,
): NamedPersons {
  const found = { known: new Map<string, string>(), unknownPatients: [], unknown: [] }
  const containerPerson = resource.resourceType === 'Patient' ? id : undefined
  if (containerPerson !== undefined) found.known.set(id, '')
  const meaning = (reference: string) => meaningOfStored(reference, scope)
  collect(resource, { path: '', meaning, container: resource, containerPerson }, { scope, base, found })
  return found
}

interface Search {
  readonly scope: PersonScope
  readonly base: string | null
  readonly found: { known: Map<string, string>; unknownPatients: string[]; unknown: string[] }
}

function collect(resource: JsonObject, place: Place, search: Search): void {
  const { found } = search
  const type = resource.resourceType as string
  for (const path of elementsOf(type).person) {
    for (const [value, at] of elementsAt(resource, path, place.path)) {
      const person = isObject(value) ? personOf(value, path, place, search.scope) : undefined
      if (person === null) found.unknown.push(at)
      else if (person !== undefined && !found.known.has(person)) found.known.set(person, at)
    }
  }
  for (const [inner, path] of resourcesAt(resource, 'contained', place.path)) {
    const person = inner.resourceType === 'Patient' ? identified(identifiersOf(inner), search.scope) : null
    if (person !== null && !found.known.has(person)) found.known.set(person, path)
    collect(inner, { ...place, path }, search)
  }
  if (type === 'Bundle') collectBundle(resource, place.path, search)
  if (type === 'Parameters') collectParameters(resource, place, search)
}

/** Whom a Reference at one of the person paths names. */
function personOf(value: JsonObject, elementPath: string, place: Place, scope: PersonScope): Meaning {
  const { reference, identifier, display } = value
  const type = typeof value.type === 'string' ? value.type.replace(/^.*\//, '') : null
  if (typeof reference === 'string') {
    const meant = reference.startsWith('#')
      ? containedPerson(reference.slice(1), place, scope)
      : place.meaning(reference)
    if (meant !== null) return meant
  }
  // An actor may as well be a professional or a room.
  if (type === null ? elementPath.endsWith('actor') : type !== 'Patient') return undefined
  if (isObject(identifier)) return identified(identifiersOf({ identifier }), scope)
  return typeof reference === 'string' || typeof display === 'string' ? null : undefined
}

function containedPerson(id: string, { container, containerPerson }: Place, scope: PersonScope): Meaning {
  if (id === '') return containerPerson
  const contained: readonly unknown[] = Array.isArray(container.contained) ? container.contained : []
  const target = contained.filter(isObject).find((inner) => inner.id === id)
  if (!target) return null
  return target.resourceType === 'Patient' ? identified(identifiersOf(target), scope) : undefined
}

/** The bundle's own `Patient` with one of these identifiers, else the facility's of an identifier by which it names documents. */
function identified(identifiers: readonly Identifier[], scope: PersonScope): string | null {
  const { context, ids, references, entryAt } = scope
  const telling = identifiers.filter(
    ({ system }) => context.identitySystems.includes(system) || context.personSystems.includes(system),
  )
  const entries = telling.flatMap(
    ({ system, value }) =>
      references.entriesByIdentifier.get(`Patient?${codingText({ system, code: value })}`) ?? [],
  )
  const [first, ...others] = new Set(entries.map((index) => entryAt(index).id))
  if (first !== undefined) return others.length === 0 ? first : null
  for (const system of context.identitySystems) {
    const values = telling.filter((identifier) => identifier.system === system)
    const least = values.map(({ value }) => value).sort()[0]
    if (least !== undefined) return ids.derive('Patient', `${system}|${least}`)
  }
  return null
}

/** Of a reference as stored: to a server id, or an absolute URL of another server. */
function meaningOfStored(reference: string, { ids }: PersonScope): Meaning {
  const [, type, id = ''] = /(?:^|\/)([A-Z][A-Za-z]*)\/([A-Za-z0-9\-.]+)$/.exec(reference) ?? []
  if (type !== undefined && type !== 'Patient') return undefined
  return reference === `Patient/${id}` && ids.isServerId('Patient', id) ? id : null
}

/** Of a reference as its sender wrote it. */
function meaningOfSent(reference: string, base: string | null, scope: PersonScope): Meaning {
  const target = resolveReference(reference, base, scope.references)
  if (target.kind === 'kept') return meaningOfStored(target.text, scope)
  if (target.kind === 'unresolved') return /^(?!Patient\b)[A-Z]/.test(reference) ? undefined : null
  if (target.kind === 'source')
    return target.type === 'Patient' ? scope.ids.derive('Patient', target.sourceKey) : undefined
  const { type, id } = scope.entryAt(target.index)
  return type === 'Patient' ? id : undefined
}

/** A `Bundle` inside keeps its references as sent: they mean its own entries first, then what they mean around it. */
function collectBundle(bundle: JsonObject, path: string, search: Search): void {
  const { scope, base, found } = search
  const entries = (Array.isArray(bundle.entry) ? bundle.entry : [])
    .map((entry, i) => ({ entry, path: `${path === '' ? '' : `${path}.`}entry[${i}].resource` }))
    .flatMap(({ entry, path }) =>
      isObject(entry) && isResource(entry.resource)
        ? [
            {
              fullUrl: typeof entry.fullUrl === 'string' ? entry.fullUrl : null,
              path,
              resource: entry.resource,
            },
          ]
        : [],
    )
  // Relative to another server, a reference is that server's.
  const around = (reference: string, own: string | null): Meaning =>
    own === null || own === base || /^[a-z][a-z0-9+.-]*:/i.test(reference)
      ? meaningOfSent(relativeTo(base, reference), base, scope)
      : meaningOfSent(`${own}${reference}`, null, scope)

  const byName = new Map<string, Meaning>()
  for (const { fullUrl, path, resource } of entries) {
    const { id } = resource
    const person =
      resource.resourceType === 'Patient' ? wholePatient(resource, fullUrl, around, scope) : undefined
    const names = [fullUrl, typeof id === 'string' ? `${resource.resourceType}/${id}` : null]
    const name = names[0] ?? names[1] ?? null
    const isNew = name === null || !byName.has(name)
    for (const name of names) if (name !== null && !byName.has(name)) byName.set(name, person)
    if (person === null && isNew) found.unknownPatients.push(path)
    else if (typeof person === 'string' && !found.known.has(person)) found.known.set(person, path)
  }
  for (const { fullUrl, path, resource } of entries) {
    const own = baseOfFullUrl(fullUrl)
    const meaning = (reference: string): Meaning => {
      const text = reference.replace(/\/_history\/[^/]*$/, '')
      const name = [`${own ?? ''}${text}`, text].find((candidate) => byName.has(candidate))
      return name === undefined ? around(text, own) : byName.get(name)
    }
    const containerPerson = fullUrl === null ? byName.get(`Patient/${resource.id}`) : byName.get(fullUrl)
    collect(resource, { path, meaning, container: resource, containerPerson }, search)
  }
}

/** Its own identifiers first; then what a reference to it would mean, unless its id says something to its sender only. */
function wholePatient(
  patient: JsonObject,
  fullUrl: string | null,
  around: (reference: string, own: string | null) => Meaning,
  scope: PersonScope,
): string | null {
  const person =
    identified(identifiersOf(patient), scope) ?? (fullUrl === null ? null : around(fullUrl, null))
  if (typeof person === 'string') return person
  const { id } = patient
  const isTelling = typeof id === 'string' && idPattern.test(id) && (fullUrl === null || isGloballyUnique(id))
  return isTelling ? (around(`Patient/${id}`, null) ?? null) : null
}

function collectParameters(parameters: JsonObject, place: Place, search: Search): void {
  const pending: (readonly [JsonObject, string])[] = [[parameters, place.path]]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [group, at] = next
    for (const name of ['parameter', 'part']) {
      for (const [part, path] of elementsAt(group, name, at)) {
        if (!isObject(part)) continue
        pending.push([part, path])
        for (const [resource, path_] of resourcesAt(part, 'resource', path)) {
          const person =
            resource.resourceType === 'Patient'
              ? wholePatient(resource, null, (reference) => place.meaning(reference), search.scope)
              : undefined
          if (person === null) search.found.unknownPatients.push(path_)
          else if (person !== undefined && !search.found.known.has(person))
            search.found.known.set(person, path_)
          collect(resource, { ...place, path: path_, container: resource, containerPerson: person }, search)
        }
      }
    }
  }
}

const relativeTo = (base: string | null, url: string): string =>
  base !== null && url.startsWith(base) ? url.slice(base.length) : url

const isResource = (value: unknown): value is Resource =>
  isObject(value) && typeof value.resourceType === 'string'

function resourcesAt(parent: JsonObject, name: string, at: string): readonly (readonly [Resource, string])[] {
  if (parent[name] === undefined) return []
  return elementsAt(parent, name, at).flatMap(([value, path]) =>
    isResource(value) ? [[value, path] as const] : [],
  )
}

/** Values at a dotted path, array items each by itself, with their places. */
function elementsAt(parent: JsonObject, path: string, at: string): readonly (readonly [unknown, string])[] {
  let found: readonly (readonly [unknown, string])[] = [[parent, at]]
  for (const name of path.split('.')) {
    found = found.flatMap(([value, place]): readonly (readonly [unknown, string])[] => {
      const member = isObject(value) ? value[name] : undefined
      const here = place === '' ? name : `${place}.${name}`
      if (member === undefined) return []
      return Array.isArray(member)
        ? member.map((item: unknown, i) => [item, `${here}[${i}]`])
        : [[member, here]]
    })
  }
  return found
}
