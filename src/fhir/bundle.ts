/**
 * Reading a `Bundle` that publishes: its shape, and nothing more of R4 validation. A wrong entry is reported with every
 * other one; whether it fails alone is the planner's business (`batch`).
 */
import { err, ok, type Result } from '../result.ts'
import { type Condition, type Expected, parseCondition, parseIfMatch } from './condition.ts'
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
  /** Of a `POST`: only if nothing meets it. */
  readonly ifNoneExist?: Condition
  /** Of a `PUT` without an id: what meets it is what is updated. */
  readonly updates?: Condition
  /** Of a `PUT`. */
  readonly ifMatch?: Expected
}

/** `DELETE Type/id`, or `DELETE Type?…`. */
export interface DeleteEntry {
  readonly index: number
  readonly deletes: { readonly type: string; readonly by: { readonly id: string } | Condition }
  readonly ifMatch?: Expected
}

export type BundleKind = 'transaction' | 'batch' | 'collection'

export interface SentBundle {
  readonly kind: BundleKind
  /** One per entry, in order. */
  readonly entries: readonly Result<BundleEntry | DeleteEntry, readonly Issue[]>[]
}

/** How many entries a bundle may have is the caller's to check. @returns the issues when the bundle as a whole is none; those of single entries are in `entries`. */
export function readBundle(value: unknown): Result<SentBundle, readonly Issue[]> {
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

function readEntry(
  item: unknown,
  index: number,
  kind: BundleKind,
): Result<BundleEntry | DeleteEntry, readonly Issue[]> {
  const at = `Bundle.entry[${index}]`
  if (!isObject(item)) return one('structure', at, 'Une entrée est un objet.', 'An entry is an object.')
  const issues: Issue[] = []
  const { fullUrl, resource, request } = item
  if (fullUrl !== undefined && (typeof fullUrl !== 'string' || fullUrl === ''))
    issues.push(issue('value', `${at}.fullUrl`, '`fullUrl` doit être un URI.', '`fullUrl` must be a URI.'))
  if (kind !== 'collection' && isObject(request) && request.method === 'DELETE') {
    const read = readDelete(request, `${at}.request`)
    if (!read.ok) issues.push(...read.error)
    if (!read.ok || issues.length > 0) return err(issues)
    return ok({ index, ...read.value })
  }
  const read = readResource(resource, `${at}.resource`)
  if (!read.ok) issues.push(...read.error)
  const type = read.ok ? read.value.resourceType : null
  const asked = kind === 'collection' ? ok({ putId: null }) : readRequest(request, type, `${at}.request`)
  if (!asked.ok) issues.push(...asked.error)
  if (read.ok && asked.ok) issues.push(...otherId(read.value, asked.value.putId, `${at}.resource.id`))
  if (!read.ok || !asked.ok || issues.length > 0) return err(issues)
  return ok({
    index,
    fullUrl: typeof fullUrl === 'string' ? fullUrl : null,
    resource: read.value,
    ...asked.value,
  })
}

/** The `id` of a resource is that of the URL it is put to. */
export const otherId = ({ id }: Resource, putId: string | null, at: string): readonly Issue[] =>
  putId === null || id === undefined || id === putId
    ? []
    : [issue('value', at, '`id` diffère de celui de l’URL.', '`id` differs from that of the URL.')]

/** @param at expression of the resource */
export function readResource(value: unknown, at: string): Result<Resource, readonly Issue[]> {
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
  return issues.length > 0 ? err(issues) : ok(value as Resource)
}

type Asked = Omit<BundleEntry, 'index' | 'fullUrl' | 'resource'>

function readRequest(request: unknown, type: string | null, at: string): Result<Asked, readonly Issue[]> {
  if (request === undefined)
    return one('required', at, "L'entrée n'a pas de `request`.", 'The entry has no `request`.')
  if (!isObject(request)) return one('structure', at, '`request` est un objet.', '`request` is an object.')
  const { method, url } = request
  if (method !== 'POST' && method !== 'PUT')
    return one(
      method === undefined ? 'required' : 'not-supported',
      `${at}.method`,
      '`method` doit être POST, PUT ou DELETE.',
      '`method` must be POST, PUT or DELETE.',
    )
  const unsupported = unsupportedCondition(request, method === 'POST' ? 'ifMatch' : 'ifNoneExist', at)
  if (unsupported) return err([unsupported])
  const [, urlType, , id, , query] = urlParts(url)
  const wellFormed = method === 'POST' ? id === undefined && query === undefined : (id ?? query) !== undefined
  if (urlType === undefined || !wellFormed) return wrongUrl(method, url, `${at}.url`)
  if (type !== null && urlType !== type)
    return one(
      'value',
      `${at}.url`,
      "Le type de l'URL n'est pas celui de la ressource.",
      'The type in the URL is not that of the resource.',
    )
  const conditions = readConditions(request, query, at)
  if (!conditions.ok) return conditions
  return ok({ putId: id ?? null, ...conditions.value })
}

function readDelete(request: JsonObject, at: string): Result<Omit<DeleteEntry, 'index'>, readonly Issue[]> {
  const unsupported = unsupportedCondition(request, 'ifNoneExist', at)
  if (unsupported) return err([unsupported])
  const [, type = '', , id, , query] = urlParts(request.url)
  if (!resourceTypes.has(type) || (id ?? query) === undefined)
    return wrongUrl('DELETE', request.url, `${at}.url`)
  const conditions = readConditions(request, query, at)
  if (!conditions.ok) return conditions
  const { updates, ifMatch } = conditions.value
  const by = updates ?? { id: id ?? '' }
  return ok({ deletes: { type, by }, ...(ifMatch === undefined ? {} : { ifMatch }) })
}

/** Type, id and query: `Type`, `Type/id` or `Type?…`. */
const urlParts = (url: unknown): readonly (string | undefined)[] =>
  (typeof url === 'string' && /^([A-Za-z]+)(\/([A-Za-z0-9\-.]{1,64}))?(\?(.*))?$/.exec(url)) || []

function wrongUrl(method: 'POST' | 'PUT' | 'DELETE', url: unknown, at: string) {
  if (typeof url !== 'string')
    return one(url === undefined ? 'required' : 'structure', at, '`url` est requis.', '`url` is required.')
  return method === 'POST'
    ? one('value', at, "L'URL d'un POST est `Type`.", 'The URL of a POST is `Type`.')
    : one(
        'value',
        at,
        `L'URL d'un ${method} est \`Type/id\` ou \`Type?condition\`.`,
        `The URL of a ${method} is \`Type/id\` or \`Type?condition\`.`,
      )
}

/** Ignoring one of these would overwrite what the sender wanted kept. */
function unsupportedCondition(request: JsonObject, other: string, at: string): Issue | null {
  const name = [other, 'ifNoneMatch', 'ifModifiedSince'].find((name) => request[name] !== undefined)
  if (name === undefined) return null
  return issue(
    'not-supported',
    `${at}.${name}`,
    `\`${name}\` n'est pas offert pour cette méthode dans un Bundle.`,
    `\`${name}\` is not supported with this method in a Bundle.`,
  )
}

function readConditions(
  { ifNoneExist, ifMatch }: JsonObject,
  query: string | undefined,
  at: string,
): Result<Pick<BundleEntry, 'ifNoneExist' | 'updates' | 'ifMatch'>, readonly Issue[]> {
  const issues: Issue[] = []
  const read = <T>(
    value: unknown,
    where: string,
    parse: (text: string, at: string) => Result<T, readonly Issue[]>,
  ): T | undefined => {
    if (value === undefined) return undefined
    const parsed =
      typeof value === 'string'
        ? parse(value, where)
        : one('structure', where, 'Une chaîne est attendue.', 'A string is expected.')
    if (parsed.ok) return parsed.value
    issues.push(...parsed.error)
    return undefined
  }
  const found = {
    ifNoneExist: read(ifNoneExist, `${at}.ifNoneExist`, parseCondition),
    updates: read(query, `${at}.url`, parseCondition),
    ifMatch: read(ifMatch, `${at}.ifMatch`, parseIfMatch),
  }
  if (issues.length > 0) return err(issues)
  return ok(Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)))
}

const issue = (code: string, expression: string, fr: string, en: string): Issue => ({
  code,
  expression,
  text: { fr, en },
})

const one = (code: string, expression: string, fr: string, en: string) =>
  err([issue(code, expression, fr, en)])
