/**
 * Which FHIR interactions a server offers, read off the operations it has mounted: by method and address (R4 §3.1.0), as
 * a client would try them.
 */

/** Request headers that make an interaction conditional (R4 §3.1.0.1, §3.1.0.5.2). */
export type Condition = 'If-Match' | 'If-Modified-Since' | 'If-None-Exist' | 'If-None-Match'

/** Query parameters of any request, about the form of its answer (R4 §3.1.0.1.11–12). */
export const formParameters: readonly string[] = ['_format', '_pretty']

export interface OfferedParameter {
  readonly name: string
  /** FHIR R4 search parameter type. */
  readonly type: string
  /** Canonical URL of its definition, where it has one. */
  readonly definition?: string
}

/** Values of `_include` and `_revinclude`: `Type:parameter`. */
export interface Links {
  readonly includes: readonly string[]
  readonly revincludes: readonly string[]
}

/** Of an operation, what tells which interactions it is. */
export interface Offered {
  readonly method: string
  /** Address pattern: `/fhir/:type{…}/:id{…}`. */
  readonly path: string
  readonly bodyTypes?: readonly string[]
  readonly conditions?: readonly Condition[]
  serves?(type: string): boolean
  searchParameters?(type: string): readonly OfferedParameter[]
  linksOf?(type: string): Links
}

/** What follows the type in an address, a parameter being `:`. */
const onTypes: Readonly<Record<string, string>> = {
  'GET :': 'read',
  'GET :/_history/:': 'vread',
  'GET :/_history': 'history-instance',
  'GET _history': 'history-type',
  'GET ': 'search-type',
  'POST _search': 'search-type',
  'POST ': 'create',
  'PUT :': 'update',
  'PATCH :': 'patch',
  'DELETE :': 'delete',
}

/** Without an id, on whatever one resource the parameters find. */
const conditional: Readonly<Record<string, string>> = { 'PUT ': 'update', 'DELETE ': 'delete' }

const onSystem: Readonly<Record<string, readonly string[]>> = {
  'POST ': ['transaction', 'batch'],
  'GET _history': ['history-system'],
  'GET ': ['search-system'],
  'POST _search': ['search-system'],
}

export interface TypeInteraction {
  /** R4 `type-restful-interaction`. */
  readonly code: string
  /** Found by parameters, not by id. */
  readonly isConditional: boolean
  /** The operation is one on any type, not on this one alone. */
  readonly isGeneric: boolean
  readonly by: Offered
}

/**
 * Of a type: each code once for each way to ask for it, as the first operation that answers there has it. What a type has an
 * address of its own for, the operations on any type do not answer there, whatever the method.
 */
export function interactionsByType(
  operations: readonly Offered[],
): (type: string) => readonly TypeInteraction[] {
  const addressed = operations.flatMap((operation) => {
    const [base, of = '', ...rest] = segmentsOf(operation.path)
    return base === 'fhir' ? [{ operation, of, address: addressOf(rest) }] : []
  })
  return (type) => {
    const own = new Set(
      addressed
        .filter(({ operation, of }) => of === type && takesAnyId(operation.path))
        .map(({ address }) => address),
    )
    const found = new Map<string, TypeInteraction>()
    for (const { operation, of, address } of addressed) {
      if (of !== ':type' && of !== type) continue
      const isGeneric = of === ':type'
      const key = `${operation.method} ${address}`
      const code = onTypes[key] ?? conditional[key]
      if (code === undefined || found.has(key)) continue
      if (isGeneric && (own.has(address) || operation.serves?.(type) === false)) continue
      found.set(key, { code, isConditional: key in conditional, isGeneric, by: operation })
    }
    return [...found.values()]
  }
}

/** R4 `system-restful-interaction`. */
export function systemInteractions(operations: readonly Offered[]): readonly string[] {
  const codes = operations.flatMap(({ method, path }) => {
    const [base, ...rest] = segmentsOf(path)
    return base === 'fhir' ? (onSystem[`${method} ${addressOf(rest)}`] ?? []) : []
  })
  return [...new Set(codes)]
}

/** One that takes some ids only leaves the rest to the operations on any type. */
const takesAnyId = (path: string): boolean =>
  [...path.matchAll(/:\w+\{(.*?)\}(?=\/|$)/g)].every(([, pattern]) =>
    new RegExp(`^(?:${pattern})$`).test(anyId),
  )

/** As every server id looks (`records/identity.ts`). */
const anyId = 'a'.repeat(26)

/** `fhir`, `:type`, `:id`: parameters without what they must look like. */
const segmentsOf = (path: string): readonly string[] =>
  path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => part.replace(/^(:\w+)\{.*\}$/, '$1'))

const addressOf = (segments: readonly string[]): string =>
  segments.map((part) => (part.startsWith(':') ? ':' : part)).join('/')
