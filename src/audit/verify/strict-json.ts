/** JSON of which no two readers see different things (RFC 7493): strict where `JSON.parse` chooses. */

const stringAt = /"(?:[^"\\]|\\.)*"/y
const numberAt = /-?[0-9][0-9.eE+-]*/y
const colonAt = /\s*:/y

/**
 * Whether an object has a name twice (`JSON.parse` takes the last of them), a text half of a surrogate pair, or a number
 * is larger than doubles are.
 * @param text valid JSON
 */
export function isAmbiguous(text: string): boolean {
  const objects: (Set<string> | null)[] = []
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i] as string
    if (character === '{') objects.push(new Set())
    else if (character === '[') objects.push(null)
    else if (character === '}' || character === ']') objects.pop()
    else if (character === '"') {
      const token = tokenAt(stringAt, text, i)
      const value = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1)
      if (!value.isWellFormed()) return true
      i += token.length - 1
      const names = objects.at(-1)
      colonAt.lastIndex = i + 1
      if (names == null || !colonAt.test(text)) continue
      if (names.has(value)) return true
      names.add(value)
    } else if (character === '-' || (character >= '0' && character <= '9')) {
      const token = tokenAt(numberAt, text, i)
      if (!Number.isFinite(Number(token))) return true
      i += token.length - 1
    }
  }
  return false
}

function tokenAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}

/**
 * Whether it is certain, at a third of what `isAmbiguous` takes, that the text is not ambiguous: nothing in it is escaped, it has
 * as many names as its value has members, and no number of it is infinite.
 */
function isPlain(text: string, value: unknown): boolean {
  if (text.includes('\\') || !text.isWellFormed()) return false
  const members = countMembers(value)
  return members !== null && members === countNames(text)
}

const colon = 0x3a
const space = 0x20

/** @param text valid JSON without escapes: quotes begin and end texts in turn */
function countNames(text: string): number {
  let names = 0
  for (let start = text.indexOf('"'); start !== -1; ) {
    let after = text.indexOf('"', start + 1) + 1
    // Valid JSON has no other characters up to the space there than white space.
    while (text.charCodeAt(after) <= space) after += 1
    if (text.charCodeAt(after) === colon) names += 1
    start = text.indexOf('"', after)
  }
  return names
}

/** Members of all objects in a value that was parsed; null: it has a number that is no double. */
function countMembers(value: unknown): number | null {
  const rest: unknown[] = [value]
  let members = 0
  while (rest.length > 0) {
    const at = rest.pop()
    if (typeof at === 'number' && !Number.isFinite(at)) return null
    if (typeof at !== 'object' || at === null) continue
    const values: readonly unknown[] = Array.isArray(at) ? at : Object.values(at)
    if (!Array.isArray(at)) members += values.length
    for (const each of values) if (typeof each === 'object' || typeof each === 'number') rest.push(each)
  }
  return members
}

/** Like `JSON.parse`; undefined where that throws, and where the text is ambiguous. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isPlain(text, value) || !isAmbiguous(text) ? value : undefined
  } catch {
    return undefined
  }
}
