import type { JsonAmbiguity } from './refusal.ts'

/**
 * Why JSON text that `JSON.parse` accepts could mean something else to another parser: a member named twice in one
 * object (the first or the last counts, by taste; RFC 8259 §4), or a string that is no Unicode text (half a surrogate
 * pair, RFC 8259 §8.2). Null: it could not.
 */
export function ambiguityOf(json: string): JsonAmbiguity | null {
  // One set of member names per open object, null per open array.
  const open: (Set<string> | null)[] = []
  let expectsName = false
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case '{':
        open.push(new Set())
        expectsName = true
        break
      case '[':
        open.push(null)
        expectsName = false
        break
      case '}':
      case ']':
        open.pop()
        expectsName = false
        break
      case ',':
        expectsName = open.at(-1) !== null
        break
      case '"': {
        const end = endOfString(json, at)
        const text = JSON.parse(json.slice(at, end + 1)) as string
        if (!text.isWellFormed()) return 'not-unicode'
        const names = open.at(-1)
        if (expectsName && names) {
          if (names.has(text)) return 'duplicate-member'
          names.add(text)
        }
        expectsName = false
        at = end
      }
    }
  }
  return null
}

/** Index of the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at
}
