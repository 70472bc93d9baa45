/**
 * Reading a `Bundle` that publishes: its shape, and nothing more of R4 validation. A wrong entry is reported with every
 * other one; whether it fails alone is the planner's business (`batch`).
 */
import { err, ok, type Result } from '../result.ts'
import { isObject, type JsonObject } from './json.ts'
import type { Issue } from './outcome.ts'
import { idPattern, resourceTypes } from './types.ts'

export interface Resource extends JsonObject {
  readonly resourceType: string
}

export interface BundleEntry {
  /** Position in the bundle, from 0. */
  readonly index: number
  readonly fullUrl: string | null
  readonly resource: Resource
  /** The id of `PUT Type/id`; null for `POST` and in a collection. */
  readonly putId: string | null
}

export type BundleKind = 'transaction' | 'batch' | 'collection'

export interface PublishedBundle {
  readonly kind: BundleKind
  /** One per entry, in order. */
  readonly entries: readonly Result<BundleEntry, readonly Issue[]>[]
}

/** How many entries a bundle may have is the caller's to check. @returns the issues when the bundle as a whole is none; those of single entries are in `entries`. */
export function readBundle(value: unknown): Result<PublishedBundle, readonly Issue[]> {
  if (!isObject(value))
    return one('structure', 'Bundle', 'Un objet JSON est attendu.', 'A JSON object is expected.')
  const { resourceType, type, entry } = value
  if (resourceType === undefined)
    return one('required', 'resourceType', '`resourceType` est absent.', '`resourceType` is missing.')
  if (typeof resourceType !== 'string' || !resourceTypes.has(resourceType))
    return one('value', 'resourceType', 'Type de ressource inconnu.', 'Unknown resource type.')
  if (resourceType !== 'Bundle')
    return one(
      'value',
      'resourceType',
      'Seul un `Bundle` se publie à cette adresse.',
      'Only a `Bundle` can be published at this address.',
    )
  if (type !== 'transaction' && type !== 'batch' && type !== 'collection')
    return one(
      type === undefined ? 'required' : 'value',
      'Bundle.type',
      '`Bundle.type` doit être `transaction`, `batch` ou `collection`.',
      '`Bundle.type` must be `transaction`, `batch` or `collection`.',
    )
  if (entry !== undefined && !Array.isArray(entry))
    return one('structure', 'Bundle.entry', '`entry` doit être une liste.', '`entry` must be an array.')
  const entries: readonly unknown[] = entry ?? []
  return ok({ kind: type, entries: entries.map((item, index) => readEntry(item, index, type)) })
}

function readEntry(item: unknown, index: number, kind: BundleKind): Result<BundleEntry, readonly Issue[]> {
  const at = `Bundle.entry[${index}]`
  if (!isObject(item)) return one('structure', at, 'Une entrée est un objet.', 'An entry is an object.')
  const issues: Issue[] = []
  const { fullUrl, resource, request } = item
  if (fullUrl !== undefined && (typeof fullUrl !== 'string' || fullUrl === ''))
    issues.push(issue('value', `${at}.fullUrl`, '`fullUrl` doit être un URI.', '`fullUrl` must be a URI.'))
  const read = readResource(resource, `${at}.resource`)
  if (!read.ok) issues.push(...read.error)
  const type = read.ok ? read.value.resourceType : null
  const put = kind === 'collection' ? ok(null) : readRequest(request, type, `${at}.request`)
  if (!put.ok) issues.push(...put.error)
  if (read.ok && put.ok && put.value !== null && read.value.id !== undefined && read.value.id !== put.value)
    issues.push(
      issue(
        'value',
        `${at}.resource.id`,
        '`id` diffère de celui de `request.url`.',
        '`id` differs from that of `request.url`.',
      ),
    )
  if (!read.ok || !put.ok || issues.length > 0) return err(issues)
  return ok({
    index,
    fullUrl: typeof fullUrl === 'string' ? fullUrl : null,
    resource: read.value,
    putId: put.value,
  })
}

function readResource(value: unknown, at: string): Result<Resource, readonly Issue[]> {
  if (value === undefined)
    return one('required', at, "L'entrée n'a pas de ressource.", 'The entry has no resource.')
  if (!isObject(value)) return one('structure', at, 'Une ressource est un objet.', 'A resource is an object.')
  const { resourceType, id, meta } = value
  if (resourceType === undefined)
    return one('required', `${at}.resourceType`, '`resourceType` est absent.', '`resourceType` is missing.')
  if (typeof resourceType !== 'string' || !resourceTypes.has(resourceType))
    return one('value', `${at}.resourceType`, 'Type de ressource inconnu.', 'Unknown resource type.')
  const issues: Issue[] = []
  if (id !== undefined && (typeof id !== 'string' || !idPattern.test(id)))
    issues.push(
      issue(
        'value',
        `${at}.id`,
        '`id` : 1 à 64 lettres ASCII, chiffres, « - » ou « . ».',
        '`id`: 1 to 64 ASCII letters, digits, "-" or ".".',
      ),
    )
  if (meta !== undefined && !isObject(meta))
    issues.push(issue('structure', `${at}.meta`, '`meta` est un objet.', '`meta` is an object.'))
  const nullAt = findNull(value, at)
  if (nullAt !== null)
    issues.push(
      issue('structure', nullAt, '`null` est interdit en JSON FHIR.', '`null` is not allowed in FHIR JSON.'),
    )
  return issues.length > 0 ? err(issues) : ok(value as Resource)
}

/** The id of a `PUT`, null for a `POST`. */
function readRequest(
  request: unknown,
  type: string | null,
  at: string,
): Result<string | null, readonly Issue[]> {
  if (request === undefined)
    return one('required', at, "L'entrée n'a pas de `request`.", 'The entry has no `request`.')
  if (!isObject(request)) return one('structure', at, '`request` est un objet.', '`request` is an object.')
  // Ignoring one of these would overwrite what the sender wanted kept. (`ifNoneExist` needs nothing: publishing again is
  // an update of the same resource, never a second one.)
  const condition = ['ifMatch', 'ifNoneMatch', 'ifModifiedSince'].find((name) => request[name] !== undefined)
  if (condition !== undefined)
    return one(
      'not-supported',
      `${at}.${condition}`,
      `\`${condition}\` n'est pas offert dans un Bundle.`,
      `\`${condition}\` is not supported in a Bundle.`,
    )
  const { method, url } = request
  if (method !== 'POST' && method !== 'PUT')
    return one(
      method === undefined ? 'required' : 'not-supported',
      `${at}.method`,
      '`method` doit être POST ou PUT.',
      '`method` must be POST or PUT.',
    )
  if (typeof url !== 'string')
    return one(
      url === undefined ? 'required' : 'structure',
      `${at}.url`,
      '`url` est requis.',
      '`url` is required.',
    )
  const [, urlType, , id] = /^([A-Za-z]+)(\/(.*))?$/.exec(url) ?? []
  const wellFormed = method === 'POST' ? id === undefined : id !== undefined && idPattern.test(id)
  if (urlType === undefined || !wellFormed)
    return method === 'POST'
      ? one('value', `${at}.url`, "L'URL d'un POST est `Type`.", 'The URL of a POST is `Type`.')
      : one('value', `${at}.url`, "L'URL d'un PUT est `Type/id`.", 'The URL of a PUT is `Type/id`.')
  if (type !== null && urlType !== type)
    return one(
      'value',
      `${at}.url`,
      "Le type de l'URL n'est pas celui de la ressource.",
      'The type in the URL is not that of the resource.',
    )
  return ok(id ?? null)
}

/** FHIR JSON has null only in the two parallel arrays of a primitive and its extensions (`given`, `_given`). */
function findNull(value: JsonObject | readonly unknown[], at: string): string | null {
  for (const [name, member] of Object.entries(value)) {
    const path = Array.isArray(value) ? `${at}[${name}]` : `${at}.${name}`
    if (member === null) return path
    if (Array.isArray(member)) {
      const twin = name.startsWith('_') ? name.slice(1) : `_${name}`
      const hasTwin = !Array.isArray(value) && Array.isArray((value as JsonObject)[twin])
      const found = findNull(hasTwin ? member.filter((item) => item !== null) : member, path)
      if (found !== null) return found
    } else if (isObject(member)) {
      const found = findNull(member, path)
      if (found !== null) return found
    }
  }
  return null
}

const issue = (code: string, expression: string, fr: string, en: string): Issue => ({
  code,
  expression,
  text: { fr, en },
})

const one = (code: string, expression: string, fr: string, en: string) =>
  err([issue(code, expression, fr, en)])
