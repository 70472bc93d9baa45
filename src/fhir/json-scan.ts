/**
 * One pass over JSON text (RFC 8259) before it is parsed: says where it is malformed, which `JSON.parse` does not always
 * do, and refuses what it would accept silently: duplicate member names (the last one would win), nesting that drives a
 * recursive walk into the stack, text that cannot be stored (lone surrogates, U+0000).
 */

export type JsonFault = 'malformed' | 'too-deep' | 'duplicate-member' | 'forbidden-member' | 'invalid-text'

export type JsonScan =
  /** `hasDecimals`: the text holds a number that a double would not give back as written. */
  | { readonly ok: true; readonly hasDecimals: boolean }
  /** `offset` in UTF-16 units; `path` of the offending element, without the root. */
  | { readonly ok: false; readonly fault: JsonFault; readonly offset: number; readonly path: string }

interface Frame {
  /** Member names seen, null in an array. */
  readonly names: Set<string> | null
  /** The current member name or index. */
  at: string | number
}

const numberAt = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const escapesAt = /(?:[^\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 section 7 forbids exactly these
const controlCharacter = /[\u0000-\u001f]/

export function scanJson(text: string, maxDepth: number): JsonScan {
  const stack: Frame[] = []
  let offset = 0
  let hasDecimals = false
  const fail = (fault: JsonFault, at = offset): JsonScan => ({
    ok: false,
    fault,
    offset: at,
    path: pathOf(stack),
  })
  const space = (): void => {
    for (;;) {
      const c = text.charCodeAt(offset)
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return
      offset++
    }
  }

  for (;;) {
    // A value is expected here.
    space()
    const c = text[offset]
    let closed = true
    if (c === '{' || c === '[') {
      if (stack.length >= maxDepth) return fail('too-deep')
      stack.push({ names: c === '{' ? new Set() : null, at: c === '{' ? '' : 0 })
      offset++
      space()
      if (text[offset] === (c === '{' ? '}' : ']')) {
        offset++
        stack.pop()
      } else closed = false
    } else if (c === '"') {
      const read = readString(text, offset)
      if (!read.ok) return fail(read.fault)
      offset = read.end
    } else if (c === 't' || c === 'f' || c === 'n') {
      const literal = c === 't' ? 'true' : c === 'f' ? 'false' : 'null'
      if (!text.startsWith(literal, offset)) return fail('malformed')
      offset += literal.length
    } else {
      numberAt.lastIndex = offset
      const source = numberAt.exec(text)?.[0]
      if (source === undefined) return fail('malformed')
      hasDecimals ||= String(Number(source)) !== source
      offset += source.length
    }

    // After a value: close what ends here, then a comma, then the next member's name.
    while (closed) {
      space()
      const top = stack.at(-1)
      if (!top) return offset === text.length ? { ok: true, hasDecimals } : fail('malformed')
      const next = text[offset]
      if (next === (top.names ? '}' : ']')) {
        offset++
        stack.pop()
      } else if (next === ',') {
        offset++
        space()
        if (typeof top.at === 'number') top.at++
        closed = false
      } else return fail('malformed')
    }

    const top = stack.at(-1)
    if (!top?.names) continue
    const read = readString(text, offset)
    if (!read.ok) return fail(read.fault)
    top.at = read.value
    if (top.names.has(read.value)) return fail('duplicate-member')
    // Assigning it to an object changes the object's prototype instead of adding a member.
    if (read.value === '__proto__') return fail('forbidden-member')
    top.names.add(read.value)
    offset = read.end
    space()
    if (text[offset] !== ':') return fail('malformed')
    offset++
  }
}

type StringRead =
  | { readonly ok: true; readonly value: string; readonly end: number }
  | { readonly ok: false; readonly fault: 'malformed' | 'invalid-text' }

function readString(text: string, start: number): StringRead {
  if (text[start] !== '"') return { ok: false, fault: 'malformed' }
  let end = text.indexOf('"', start + 1)
  let escaped = false
  while (end !== -1) {
    let backslashes = 0
    while (text[end - 1 - backslashes] === '\\') backslashes++
    escaped ||= backslashes > 0
    if (backslashes % 2 === 0) break
    end = text.indexOf('"', end + 1)
  }
  if (end === -1) return { ok: false, fault: 'malformed' }
  const raw = text.slice(start + 1, end)
  if (controlCharacter.test(raw)) return { ok: false, fault: 'malformed' }
  if (!escaped && !raw.includes('\\')) {
    return raw.isWellFormed() ? { ok: true, value: raw, end: end + 1 } : { ok: false, fault: 'invalid-text' }
  }
  escapesAt.lastIndex = 0
  if (escapesAt.exec(raw)?.[0].length !== raw.length) return { ok: false, fault: 'malformed' }
  const value = JSON.parse(`"${raw}"`) as string
  const storable = value.isWellFormed() && !value.includes('\0')
  return storable ? { ok: true, value, end: end + 1 } : { ok: false, fault: 'invalid-text' }
}

function pathOf(stack: readonly Frame[]): string {
  let path = ''
  for (const { at } of stack) path += typeof at === 'number' ? `[${at}]` : path === '' ? at : `.${at}`
  return path
}
