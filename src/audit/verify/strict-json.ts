/** Names that an object has twice: `JSON.parse` takes the last of them, another reader may take the first. */

const stringAt = /"(?:[^"\\]|\\.)*"/y
const colonAt = /\s*:/y

/** @param text valid JSON */
export function hasRepeatedName(text: string): boolean {
  const objects: (Set<string> | null)[] = []
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i]
    if (character === '{') objects.push(new Set())
    else if (character === '[') objects.push(null)
    else if (character === '}' || character === ']') objects.pop()
    else if (character === '"') {
      stringAt.lastIndex = i
      stringAt.test(text)
      const end = stringAt.lastIndex
      colonAt.lastIndex = end
      const names = objects.at(-1)
      if (names != null && colonAt.test(text)) {
        const name = JSON.parse(text.slice(i, end)) as string
        if (names.has(name)) return true
        names.add(name)
      }
      i = end - 1
    }
  }
  return false
}

/** Like `JSON.parse`; undefined where that throws, and where an object has a name twice. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return hasRepeatedName(text) ? undefined : value
  } catch {
    return undefined
  }
}
