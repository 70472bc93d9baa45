/** The Bundle that answers a search: stored text put together, parsed only where a part of it was asked for. */
import type { Resource } from '../fhir/bundle.ts'
import { keptMeta } from '../fhir/digest.ts'
import { parseJson } from '../fhir/json.ts'
import { type Issue, operationOutcome } from '../fhir/outcome.ts'
import { partsByType } from '../fhir/r4/search.generated.js'
import type { AnswerQuery } from '../fhir/search-answer-query.ts'
import type { PageRow } from './page.ts'

export interface Answer {
  readonly origin: string
  /** As asked, for `self`. */
  readonly self: string
  readonly next: string | null
  readonly language: 'fr' | 'en'
  readonly rows: readonly PageRow[]
  readonly included: readonly PageRow[]
  /** Entries made elsewhere, after the rows. */
  readonly others: readonly string[]
  /** Null: not said. */
  readonly total: number | null
  /** What a reader must know of the list itself. */
  readonly warnings: readonly Issue[]
  readonly parts: Pick<AnswerQuery, 'summary' | 'elements'>
}

export function searchset(answer: Answer): string {
  const { origin, self, next, language, rows, included, others, total, warnings, parts } = answer
  const links = [{ relation: 'self', url: self }, ...(next ? [{ relation: 'next', url: next }] : [])]
  const entry = ({ type, id, body }: PageRow, mode: 'match' | 'include'): string =>
    `{"fullUrl":"${origin}/fhir/${type}/${id}","resource":${partOf(type, body, parts)},"search":{"mode":"${mode}"}}`
  const entries = [
    // Said in the page itself: a clinician must not take what is missing for what is not there.
    ...(warnings.length > 0
      ? [
          `{"resource":${JSON.stringify(operationOutcome(warnings, language, 'warning'))},"search":{"mode":"outcome"}}`,
        ]
      : []),
    ...rows.map((row) => entry(row, 'match')),
    ...others,
    ...included.map((row) => entry(row, 'include')),
  ]
  const said = total === null ? '' : `,"total":${total}`
  const list = entries.length > 0 ? `,"entry":[${entries.join(',')}]` : ''
  return `{"resourceType":"Bundle","type":"searchset"${said},"link":${JSON.stringify(links)}${list}}`
}

const subsetted = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'SUBSETTED',
}

/** The stored text, or what `_summary` and `_elements` leave of it, marked as incomplete (R4 §3.1.1.5.8, §3.1.1.5.9). */
function partOf(type: string, body: string, { summary, elements }: Answer['parts']): string {
  const keeps = keeper(type, summary, elements)
  if (keeps === null) return body
  const parsed = parseJson(body)
  if (!parsed.ok) throw new Error('a stored document is no JSON')
  const resource = parsed.value as Resource
  const kept = Object.entries(resource).filter(([name]) => keeps(name.replace(/^_/, '')))
  const tags = (keptMeta(resource)?.tag as readonly unknown[] | undefined) ?? []
  const meta = { ...(resource.meta as object), tag: [...tags, subsetted] }
  return JSON.stringify({ resourceType: type, id: resource.id, meta, ...Object.fromEntries(kept) })
}

/** Whether a member of the resource stays; null: all do. */
function keeper(
  type: string,
  summary: AnswerQuery['summary'],
  elements: readonly string[] | null,
): ((name: string) => boolean) | null {
  const [inSummary = [], required = []] = partsByType[type] ?? []
  const isOf = (names: readonly string[], member: string): boolean =>
    names.some((name) =>
      name.endsWith('[x]') ? new RegExp(`^${name.slice(0, -3)}[A-Z]`).test(member) : name === member,
    )
  const isFixed = (name: string): boolean => name === 'resourceType' || name === 'id' || name === 'meta'
  if (elements !== null) return (name) => !isFixed(name) && (elements.includes(name) || isOf(required, name))
  switch (summary) {
    case 'true':
      return (name) => !isFixed(name) && isOf(inSummary, name)
    case 'text':
      return (name) => !isFixed(name) && (name === 'text' || isOf(required, name))
    case 'data':
      return (name) => !isFixed(name) && name !== 'text'
    case 'count':
    case 'false':
      return null
  }
}
