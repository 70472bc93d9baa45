/**
 * References between published resources (FHIR R4, References; Bundle, resolving references). A sender names things by
 * its own ids; stored resources name them by server ids.
 */
import type { JsonObject } from './json.ts'
import { idPattern, resourceTypes } from './types.ts'

/** What the text of a `Reference.reference` means. */
export type ReferenceTarget =
  /** `#contained`, an absolute URL of another server, or a server id: stored as `text`. */
  | { readonly kind: 'kept'; readonly text: string }
  /** The entry of the same bundle at `index`. */
  | { readonly kind: 'entry'; readonly index: number }
  /** A resource of the same sender, by source key. */
  | { readonly kind: 'source'; readonly type: string; readonly sourceKey: string }
  | { readonly kind: 'unresolved'; readonly why: UnresolvedReason }

export type UnresolvedReason =
  /** `urn:…` that no entry has as its `fullUrl`. */
  | 'urn-not-in-bundle'
  /** A conditional reference other than by one identifier that the bundle or the sender's identity systems know. */
  | 'condition-not-resolvable'
  /** More than one entry has the identifier. */
  | 'condition-ambiguous'
  /** An absolute URL other than http and https: nothing a reader could follow safely. */
  | 'scheme-not-allowed'
  | 'not-a-reference'

export interface ReferenceScope {
  readonly entryByFullUrl: ReadonlyMap<string, number>
  /** Key `Type/id`, the sender's ids. */
  readonly entryByTypeAndId: ReadonlyMap<string, number>
  /** Key `Type?system|value`. */
  readonly entriesByIdentifier: ReadonlyMap<string, readonly number[]>
  /** Identifier systems by which the sender identifies documents. */
  readonly identitySystems: readonly string[]
  /** Base of this server, ending in `/`: absolute URLs under it are ours. */
  readonly baseUrl: string
  readonly isServerId: (type: string, id: string) => boolean
}

/** @param base fullUrl of the entry that holds the reference, without its `Type/id`; null when it has none. */
export function resolveReference(text: string, base: string | null, scope: ReferenceScope): ReferenceTarget {
  if (text.startsWith('#')) return { kind: 'kept', text }
  const unversioned = text.replace(/\/_history\/[A-Za-z0-9\-.]{1,64}$/, '')
  const direct =
    scope.entryByFullUrl.get(unversioned) ?? scope.entryByFullUrl.get(`${base ?? ''}${unversioned}`)
  if (direct !== undefined) return { kind: 'entry', index: direct }
  if (unversioned.startsWith('urn:')) return { kind: 'unresolved', why: 'urn-not-in-bundle' }
  const local = unversioned.startsWith(scope.baseUrl) ? unversioned.slice(scope.baseUrl.length) : unversioned
  if (/^https?:\/\//i.test(local)) return { kind: 'kept', text }
  if (/^[a-z][a-z0-9+.-]*:/i.test(local)) return { kind: 'unresolved', why: 'scheme-not-allowed' }
  if (local.includes('?')) return resolveCondition(local, scope)
  const [type = '', id = '', ...rest] = local.split('/')
  if (!resourceTypes.has(type) || !idPattern.test(id) || rest.length > 0)
    return { kind: 'unresolved', why: 'not-a-reference' }
  if (scope.isServerId(type, id)) return { kind: 'kept', text: `${type}/${id}` }
  const index = scope.entryByTypeAndId.get(`${type}/${id}`)
  return index === undefined ? { kind: 'source', type, sourceKey: id } : { kind: 'entry', index }
}

function resolveCondition(text: string, scope: ReferenceScope): ReferenceTarget {
  const mark = text.indexOf('?')
  const type = text.slice(0, mark)
  const parameters = [...new URLSearchParams(text.slice(mark + 1))]
  const [name, value] = parameters[0] ?? []
  if (!resourceTypes.has(type) || parameters.length !== 1 || name !== 'identifier' || !value)
    return { kind: 'unresolved', why: 'condition-not-resolvable' }
  const found = scope.entriesByIdentifier.get(`${type}?${value}`) ?? []
  if (found.length > 1) return { kind: 'unresolved', why: 'condition-ambiguous' }
  if (found[0] !== undefined) return { kind: 'entry', index: found[0] }
  const [system = '', ...rest] = value.split('|')
  if (scope.identitySystems.includes(system) && rest.join('|') !== '')
    return { kind: 'source', type, sourceKey: value }
  return { kind: 'unresolved', why: 'condition-not-resolvable' }
}

/** The part of a RESTful fullUrl before `Type/id`; null for `urn:` and others. */
export function baseOfFullUrl(fullUrl: string | null): string | null {
  return /^(https?:\/\/.*\/)[A-Z][A-Za-z]*\/[A-Za-z0-9\-.]{1,64}$/.exec(fullUrl ?? '')?.[1] ?? null
}

export interface FoundReference {
  readonly text: string
  /** Path from the resource, e.g. `subject.reference`. */
  readonly path: string
}

/**
 * Every `Reference.reference` of a resource, contained ones included. A `Bundle` inside is a closed unit (a signed
 * document): its references resolve within it and are not looked at.
 */
export function findReferences(resource: JsonObject): readonly FoundReference[] {
  const found: FoundReference[] = []
  walk(resource, '', found)
  return found
}

function walk(value: JsonObject | readonly unknown[], path: string, found: FoundReference[]): void {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i]
      if (typeof item === 'object' && item !== null) walk(item as JsonObject, `${path}[${i}]`, found)
    }
    return
  }
  const object = value as JsonObject
  if (object.resourceType === 'Bundle') return
  for (const name in object) {
    const member = object[name]
    if (typeof member === 'object' && member !== null)
      walk(member as JsonObject, path === '' ? name : `${path}.${name}`, found)
    else if (name === 'reference' && typeof member === 'string')
      found.push({ text: member, path: path === '' ? name : `${path}.${name}` })
  }
}

/**
 * The same resource with the texts of its references replaced, in the order `findReferences` gives them. What holds no
 * reference is shared with the original.
 */
export function replaceReferences<T extends JsonObject>(resource: T, texts: readonly string[]): T {
  if (texts.length === 0) return resource
  let next = 0
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      let copied: unknown[] | null = null
      for (let i = 0; i < value.length; i++) {
        const item: unknown = value[i]
        if (typeof item !== 'object' || item === null) continue
        const replaced = copy(item)
        if (replaced === item) continue
        copied ??= [...value]
        copied[i] = replaced
      }
      return copied ?? value
    }
    const object = value as JsonObject
    if (object.resourceType === 'Bundle') return object
    let copied: Record<string, unknown> | null = null
    for (const name in object) {
      const member = object[name]
      let replaced = member
      if (typeof member === 'object' && member !== null) replaced = copy(member)
      else if (name === 'reference' && typeof member === 'string') replaced = texts[next++]
      if (replaced === member) continue
      copied ??= { ...object }
      copied[name] = replaced
    }
    return copied ?? object
  }
  return copy(resource) as T
}
