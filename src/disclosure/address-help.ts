/** The right address that a wrong one most likely means: made of what is offered, never of what is stored. */
import { nearest, slipsBetween } from '../fhir/nearest.ts'
import { resourceTypes } from '../fhir/types.ts'
import { limits } from '../limits.ts'
import type { Refusal } from './refusal.ts'

/** One segment of an address: a word, or what may stand there. */
type Segment = { readonly word: string } | { readonly name: string; readonly pattern: RegExp }

/** Null: nothing offered is near enough. */
export type AddressHelp = (path: string) => string | null

/** @param patterns Hono paths of operations and of the public list */
export function addressHelp(patterns: readonly string[]): AddressHelp {
  const offered = [...new Set(patterns)].filter((path) => !path.endsWith('/**')).map(segmentsOf)
  return (path) => {
    if (path.length > limits.maxHelpedPathLength) return null
    const asked = path.split('/').filter((part) => part !== '')
    const found = [nearestOf(offered, asked), nearestOf(offered, ['fhir', ...asked])].filter(
      (one) => one !== null,
    )
    const [best] = found.sort((a, b) => a.slips - b.slips)
    const meant = best && `/${best.parts.join('/')}`
    return meant === undefined || meant === path ? null : meant
  }
}

/** A refusal of a wrong address, with the right one where there is one near. */
export function helped(refusal: Refusal, help: AddressHelp): Refusal {
  const meant = refusal.reason === 'no-such-path' ? help(refusal.path) : null
  return refusal.reason === 'no-such-path' && meant !== null ? { ...refusal, meant } : refusal
}

interface Meant {
  readonly parts: readonly string[]
  readonly slips: number
}

function nearestOf(offered: readonly (readonly Segment[])[], asked: readonly string[]): Meant | null {
  let best: Meant | null = null
  for (const segments of offered) {
    const meant = meantBy(segments, asked)
    if (meant !== null && meant.slips < (best?.slips ?? Number.POSITIVE_INFINITY)) best = meant
  }
  return best
}

function meantBy(segments: readonly Segment[], asked: readonly string[]): Meant | null {
  if (segments.length !== asked.length) return null
  const parts: string[] = []
  let slips = 0
  for (const [index, segment] of segments.entries()) {
    const given = asked[index] ?? ''
    const part = partOf(segment, given)
    if (part === null) return null
    parts.push(part)
    slips += slipsBetween(given, part) ?? 0
  }
  return { parts, slips }
}

function partOf(segment: Segment, given: string): string | null {
  if ('word' in segment) return slipsBetween(given, segment.word) === null ? null : segment.word
  if (segment.name === 'type') return nearest(given, resourceTypes)
  // What the caller wrote comes back as it was, where it is no more than an id.
  return segment.pattern.test(given) && idPattern.test(given) ? given : null
}

const idPattern = /^[A-Za-z0-9.-]{1,64}$/

/** Of `/fhir/:type{[A-Z][A-Za-z]*}/:id{…}`. */
const segmentsOf = (path: string): readonly Segment[] =>
  path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => {
      const [, name, pattern = '.+'] = /^:(\w+)(?:\{(.*)\})?$/.exec(part) ?? []
      return name === undefined ? { word: part } : { name, pattern: new RegExp(`^(?:${pattern})$`) }
    })
