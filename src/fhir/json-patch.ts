/**
 * JSON Patch (RFC 6902) on a resource. Our own: libraries copy values member by member, which loses the text of decimals,
 * and take `/name/length` or `/name/1x` for a place in an array. Pure: nothing given is changed.
 */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { Decimal, isObject, type JsonObject } from './json.ts'

/** RFC 6901 reference tokens, unescaped. */
type Pointer = readonly string[]

export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: Pointer; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: Pointer }
  | { readonly op: 'move' | 'copy'; readonly from: Pointer; readonly path: Pointer }

/** What is wrong, and with which operation, from 0. */
export interface PatchFault {
  readonly at: number
  /**
   * `malformed`: no such operation; `missing`: nothing is there, or nothing can be; `differs`: a `test` that failed;
   * `too-long`: copies of copies, or of long lists over and over.
   */
  readonly fault: 'malformed' | 'missing' | 'differs' | 'too-long'
}

/** @param value a parsed body; the number of operations is the caller's to bound */
export function readPatch(value: unknown): Result<readonly PatchOperation[], PatchFault> {
  if (!Array.isArray(value)) return err({ at: 0, fault: 'malformed' })
  const operations: PatchOperation[] = []
  for (const [at, item] of value.entries()) {
    const operation = readOperation(item)
    if (operation === null) return err({ at, fault: 'malformed' })
    operations.push(operation)
  }
  return ok(operations)
}

function readOperation(item: unknown): PatchOperation | null {
  if (!isObject(item)) return null
  const { op } = item
  const path = readPointer(item.path)
  if (path === null) return null
  switch (op) {
    case 'add':
    case 'replace':
    case 'test':
      return Object.hasOwn(item, 'value') ? { op, path, value: item.value } : null
    case 'remove':
      return { op, path }
    case 'move':
    case 'copy': {
      const from = readPointer(item.from)
      return from === null ? null : { op, from, path }
    }
    default:
      return null
  }
}

function readPointer(text: unknown): Pointer | null {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/')) || /~(?![01])/.test(text))
    return null
  return text
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/**
 * All of them, or none. Thirty copies of an element into itself would make a billion of it: what is copied and moved weighs
 * `limits.maxResourceBytes` at most, and is no deeper than what can be parsed again.
 */
export function applyPatch(
  document: unknown,
  operations: readonly PatchOperation[],
): Result<unknown, PatchFault> {
  let current = document
  let weight = 0
  let copies = 0
  for (const [at, operation] of operations.entries()) {
    copies += membersAlong(current, operation.path)
    if (operation.op === 'move') copies += membersAlong(current, operation.from)
    if (copies > limits.maxPatchCopies) return err({ at, fault: 'too-long' })
    if (operation.op === 'copy' || operation.op === 'move') {
      const found = valueAt(current, operation.from)
      weight += found.ok ? weightOf(found.value, limits.maxResourceBytes - weight, limits.maxJsonDepth) : 0
      if (weight > limits.maxResourceBytes) return err({ at, fault: 'too-long' })
    }
    const next = applied(current, operation)
    if (!next.ok) return err({ at, fault: next.error })
    current = next.value
  }
  return ok(current)
}

/** Of the lists and objects that a change at the end of the path copies. */
function membersAlong(document: unknown, path: Pointer): number {
  let members = 0
  let value = document
  for (const token of path) {
    if (Array.isArray(value)) members += value.length
    else if (isObject(value)) members += Object.keys(value).length
    else break
    const next = valueAt(value, [token])
    value = next.ok ? next.value : undefined
  }
  return members
}

/** Characters and members, stopping past `most`; what is too deep weighs more than that. */
function weightOf(value: unknown, most: number, depth: number): number {
  if (typeof value === 'string') return value.length + 1
  if (typeof value !== 'object' || value === null || value instanceof Decimal) return 1
  if (depth === 0) return most + 1
  let weight = 1
  for (const [name, member] of Object.entries(value)) {
    weight += name.length + weightOf(member, most - weight, depth - 1)
    if (weight > most) break
  }
  return weight
}

type Applied = Result<unknown, 'missing' | 'differs'>
const missing = err('missing' as const)

function applied(document: unknown, operation: PatchOperation): Applied {
  const { op, path } = operation
  switch (op) {
    case 'add':
      return added(document, path, operation.value)
    case 'remove':
      return changed(document, path, 'remove')
    case 'replace':
      return changed(document, path, 'replace', operation.value)
    case 'test': {
      const found = valueAt(document, path)
      if (!found.ok) return found
      return isSame(found.value, operation.value) ? ok(document) : err('differs')
    }
    case 'copy': {
      const found = valueAt(document, operation.from)
      return found.ok ? added(document, path, found.value) : found
    }
    case 'move': {
      const { from } = operation
      // Not into itself (RFC 6902 §4.4).
      if (path.length > from.length && from.every((token, i) => token === path[i])) return missing
      const found = valueAt(document, from)
      if (!found.ok || from.length === 0) return missing
      const removed = changed(document, from, 'remove')
      return removed.ok ? added(removed.value, path, found.value) : removed
    }
  }
}

const index = /^(0|[1-9]\d{0,8})$/

/** The position that a token names, up to `last`; null: none. */
const position = (token: string, last: number): number | null =>
  index.test(token) && Number(token) <= last ? Number(token) : null

function valueAt(document: unknown, path: Pointer): Applied {
  let value = document
  for (const token of path) {
    if (Array.isArray(value)) {
      const at = position(token, value.length - 1)
      if (at === null) return missing
      value = value[at]
    } else if (isObject(value) && Object.hasOwn(value, token)) value = value[token]
    else return missing
  }
  return ok(value)
}

/** The document with what `change` makes of the holder of the last token; copied along the path only. */
function within(
  document: unknown,
  path: Pointer,
  change: (holder: unknown[] | Record<string, unknown>, token: string) => boolean,
): Applied {
  const [token = '', ...rest] = path
  if (!Array.isArray(document) && !isObject(document)) return missing
  const copy: unknown[] | Record<string, unknown> = Array.isArray(document) ? [...document] : { ...document }
  if (rest.length === 0) return change(copy, token) ? ok(copy) : missing
  const held = valueAt(document, [token])
  if (!held.ok) return held
  const inner = within(held.value, rest, change)
  if (!inner.ok) return inner
  put(copy, token, inner.value)
  return ok(copy)
}

/** An own member, whatever its name. */
function put(holder: unknown[] | Record<string, unknown>, token: string, value: unknown): void {
  Object.defineProperty(holder, token, { value, writable: true, enumerable: true, configurable: true })
}

function added(document: unknown, path: Pointer, value: unknown): Applied {
  if (path.length === 0) return ok(value)
  return within(document, path, (holder, token) => {
    if (!Array.isArray(holder)) {
      put(holder, token, value)
      return true
    }
    const at = token === '-' ? holder.length : position(token, holder.length)
    if (at !== null) holder.splice(at, 0, value)
    return at !== null
  })
}

function changed(document: unknown, path: Pointer, how: 'remove' | 'replace', value?: unknown): Applied {
  if (path.length === 0) return how === 'replace' ? ok(value) : missing
  return within(document, path, (holder, token) => {
    if (Array.isArray(holder)) {
      const at = position(token, holder.length - 1)
      if (at === null) return false
      holder.splice(at, 1, ...(how === 'replace' ? [value] : []))
      return true
    }
    if (!Object.hasOwn(holder, token)) return false
    if (how === 'replace') put(holder, token, value)
    else delete holder[token]
    return true
  })
}

/** RFC 6902 §4.6: numbers by what they say, objects whatever their order. */
function isSame(a: unknown, b: unknown): boolean {
  if (isNumber(a) && isNumber(b)) return Number(String(a)) === Number(String(b))
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => isSame(item, b[i]))
  if (isObject(a) && isObject(b)) return haveSameMembers(a, b)
  return a === b
}

const isNumber = (value: unknown): boolean => typeof value === 'number' || value instanceof Decimal

function haveSameMembers(a: JsonObject, b: JsonObject): boolean {
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
  )
}
