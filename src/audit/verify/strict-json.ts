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

/** Like `JSON.parse`; undefined where that throws, and where the text is ambiguous. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isAmbiguous(text) ? undefined : value
  } catch {
    return undefined
  }
}
