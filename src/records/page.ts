/** A page of stored documents: from rows of both databases to the rows that the policy releases, in one order. */
import type { Caller } from '../access/caller.ts'
import { firstPublishedColumn } from '../access/first-published.ts'
import {
  type Basis,
  type DecidedRow,
  decideRow,
  noCodings,
  type PermitReason,
  type Situation,
} from '../access/policy.ts'
import type { Disclosed } from '../disclosure/operation.ts'
import type { Resource } from '../fhir/bundle.ts'
import { codingsAt, codingText } from '../fhir/codings.ts'
import { elementsOf } from '../fhir/elements.ts'
import { statusCode } from '../fhir/status.ts'
import { limits } from '../limits.ts'
import type { Row } from '../store/ports.ts'

/** Of a `document`, what every page is made of beside the body. */
export const storedColumns =
  'type, id, version, person, source_record, facility, domain, confidentiality, date_lo, published'

/** What every page statement selects beside the body, of rows `d` that have the stored columns. */
export const rowColumns = (d: string): string => `${storedColumns}, ${firstPublishedColumn(d)}`

export interface PageRow extends Omit<DecidedRow, 'codings'> {
  readonly version: number
  readonly person: string
  /** Of this version, UTC. */
  readonly published: string
  /** Empty when the statement held it back: the page is full, or may be. */
  readonly body: string
  /** By which the page is sorted. */
  readonly keys: readonly (string | number | null)[]
}

export const pageRow = (
  row: Row,
  shared: boolean,
  keys: PageRow['keys'] = [row.date_lo as string],
): PageRow => ({
  keys,
  type: row.type as string,
  id: row.id as string,
  version: row.version as number,
  person: row.person as string,
  sourceRecord: row.source_record as string,
  facility: row.facility as string,
  domain: row.domain as string,
  confidentiality: row.confidentiality as string,
  dateLo: row.date_lo as string,
  published: row.published as string,
  firstPublished: row.first_published as string,
  body: (row.body as string | null) ?? '',
  shared,
})

export const versionedReference = ({ type, id, version }: Pick<PageRow, 'type' | 'id' | 'version'>): string =>
  `${type}/${id}/_history/${version}`

export interface Judged<Item extends PageRow = PageRow> {
  readonly rows: readonly Item[]
  /** Rows that SQL let through and the policy refused: an alarm, never a disclosure. */
  readonly mismatches: readonly string[]
  readonly reason: PermitReason | 'nothing-found'
  /** Why the caller may look at the person, of the first row that is about one. */
  readonly basis: Basis | null
  /** What the caller said of the emergency in which a row is permitted. */
  readonly breakGlassReason: string | null
}

/** The policy again, row by row; the local database's filter knows only the facility, so its drops are no mismatch. */
export function judge<Item extends PageRow>(
  caller: Caller,
  situation: Situation,
  rows: readonly Item[],
  codings: (row: Item) => DecidedRow['codings'] = codingsOf,
): Judged<Item> {
  const permitted: Item[] = []
  const mismatches: string[] = []
  const reasons = new Set<PermitReason>()
  let basis: Basis | null = null
  const isConditional = situation.grants?.some(({ parameters }) => parameters.length > 0) ?? false
  for (const row of rows) {
    const decision = decideRow(caller, situation, {
      ...row,
      codings: isConditional ? codings(row) : noCodings,
    })
    if (decision.outcome === 'permit') {
      permitted.push(row)
      reasons.add(decision.reason)
      if (basis === null || decision.basis === 'break-glass') basis = decision.basis
    } else if (row.shared) mismatches.push(versionedReference(row))
  }
  const reason = (['break-glass', 'shared-domain', 'own-facility'] as const).find((one) => reasons.has(one))
  return {
    rows: permitted,
    mismatches,
    reason: reason ?? 'nothing-found',
    basis,
    breakGlassReason: reason === 'break-glass' ? emergencyOf(caller, situation) : null,
  }
}

/** What the caller said when declaring the emergency under way. */
export function emergencyOf(caller: Caller, { subjects }: Pick<Situation, 'subjects'>): string | null {
  const own = subjects
    .flatMap(({ breakGlass }) => breakGlass)
    .find(({ professional }) => 'professional' in caller && professional === caller.professional)
  return own?.reason ?? null
}

/** What scopes with parameters ask about, as the stored text has it. */
export function codingsOf({ type, body }: Pick<PageRow, 'type' | 'body'>): DecidedRow['codings'] {
  const resource = JSON.parse(body) as Resource
  const { category, code } = elementsOf(type)
  return {
    categories: codingsAt(resource, category).map(codingText),
    codes: codingsAt(resource, code).map(codingText),
    statuses: [statusCode(type, resource)].filter((code) => code !== ''),
  }
}

/** Newest first, then by id: the clustered order of both databases, unless a search asks for another. */
const newestFirst = (a: PageRow, b: PageRow): number =>
  a.dateLo === b.dateLo ? (a.id < b.id ? -1 : a.id > b.id ? 1 : 0) : a.dateLo > b.dateLo ? -1 : 1

export interface Page {
  /** Each with its body. */
  readonly rows: readonly PageRow[]
  readonly more: boolean
  /** It ended at a row whose body was held back. */
  readonly isCut: boolean
}

/**
 * Merges branches that are each complete in their first `count + 1` rows, of those that `isOpen` lets count. A document seen
 * twice (while it moves between the databases) counts once, in its newest version.
 */
export function merge(
  branches: readonly (readonly PageRow[])[],
  count: number,
  isOpen: (row: PageRow) => boolean = () => true,
  compare: (a: PageRow, b: PageRow) => number = newestFirst,
): Page {
  const unique = new Map<string, PageRow>()
  for (const row of branches.flat()) {
    const key = `${row.type}/${row.id}`
    const known = unique.get(key)
    if (!known || known.version < row.version) unique.set(key, row)
  }
  const ordered = [...unique.values()].filter(isOpen).sort(compare)
  const rows: PageRow[] = []
  let bytes = 0
  for (const row of ordered) {
    if (rows.length === count) return { rows, more: true, isCut: false }
    if (row.body === '') return { rows, more: true, isCut: true }
    // UTF-16 units bound UTF-8 bytes within a factor of three; what matters is that a page is bounded.
    bytes += row.body.length
    if (rows.length > 0 && bytes > limits.maxPageBytes) return { rows, more: true, isCut: false }
    rows.push(row)
  }
  return { rows, more: false, isCut: false }
}

/** What leaves, by patient, for the audit entries. */
export function disclosedOf(
  rows: readonly Pick<PageRow, 'type' | 'id' | 'version' | 'person'>[],
): readonly Disclosed[] {
  const byPatient = new Map<string, string[]>()
  for (const row of rows) {
    const references = byPatient.get(row.person)
    if (references) references.push(versionedReference(row))
    else byPatient.set(row.person, [versionedReference(row)])
  }
  return [...byPatient].map(([person, resources]) => ({ patient: person === '' ? null : person, resources }))
}
