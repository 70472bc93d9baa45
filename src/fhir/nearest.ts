/** The known name that a mistyped one most likely means, and the words that say so. */
import { limits } from '../limits.ts'
import type { Issue } from './outcome.ts'

/**
 * The nearest of `known`, whatever its case; the first of several that are equally near. Null: none is near enough to be
 * meant, or `given` is too long to be a name.
 */
export function nearest(given: string, known: Iterable<string>): string | null {
  let best: string | null = null
  let bestSlips = Number.POSITIVE_INFINITY
  for (const name of known) {
    const slips = slipsBetween(given, name)
    if (slips === null || slips >= bestSlips) continue
    best = name
    bestSlips = slips
  }
  return best
}

/**
 * How many slips make `name` into `given`, whatever its case. Null: too many for the one to be meant by the other, which is
 * two in a long name and one in a short one (with three a prescription would be a subscription), or one is too long to be a name.
 */
export function slipsBetween(given: string, name: string): number | null {
  if (given === '' || Math.max(given.length, name.length) > limits.maxHintLength) return null
  const most = given.length < 8 ? 1 : 2
  // A letter too many or too few is a slip each.
  if (Math.abs(given.length - name.length) > most) return null
  const slips = distanceOf(given.toLowerCase(), name.toLowerCase())
  return slips <= most ? slips : null
}

/** Letters put in, left out, changed, or swapped with their neighbour (optimal string alignment). */
function distanceOf(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min(cell(last, j) + 1, cell(row, j - 1) + 1, cell(last, j - 1) + changed)
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwapped) least = Math.min(least, cell(beforeLast, j - 2) + 1)
      row.push(least)
    }
    beforeLast = last
    last = row
  }
  return cell(last, b.length)
}

const cell = (row: readonly number[], at: number): number => row[at] ?? Number.POSITIVE_INFINITY

/** What a client sent, as an answer may repeat it: a short name of plain letters, else nothing of it. */
export const repeatable = (given: string): string | null =>
  given.length <= limits.maxHintLength && /^[\w.:/$-]*$/.test(given) ? given : null

/** An issue about a search parameter that `type` does not have, with the one that may be meant. */
export const unknownParameter = (type: string, given: string, known: Iterable<string>): Issue =>
  unknownName(
    { fr: `Paramètre de recherche inconnu pour ${type}`, en: `Unknown search parameter for ${type}` },
    given,
    known,
  )

/**
 * An issue about a name that is not known, with the one that may be meant.
 *
 * @param what how it begins
 * @param given as received, with its modifier or chain
 */
export function unknownName(what: Issue['text'], given: string, known: Iterable<string>): Issue {
  const shown = repeatable(given)
  const names = [...known]
  const meant = nearest(given, names) ?? nearest(given.split(/[:.]/, 1)[0] ?? '', names)
  const fr = shown === null ? '' : ` : « ${shown} »`
  const en = shown === null ? '' : `: "${shown}"`
  return {
    code: 'not-supported',
    ...(shown === null ? {} : { expression: shown }),
    text: {
      fr: `${what.fr}${fr}.${meant === null ? '' : ` Vouliez-vous dire « ${meant} » ?`}`,
      en: `${what.en}${en}.${meant === null ? '' : ` Did you mean "${meant}"?`}`,
    },
  }
}
