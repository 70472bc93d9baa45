/** From an access to the canonical texts of its entries: one patient each, bounded in references and bytes. */
import canonicalize from 'canonicalize'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Access, EntryDraft, Who } from './port.ts'

/** What all entries of an access share. */
export type AccessBase = Omit<Access, 'patient' | 'resources' | 'part' | 'parts'>

/** What was disclosed or written about one patient; null: about none. */
export interface EntrySubject {
  /** Person id. */
  readonly patient: string | null
  /** `Type/id/_history/version`. */
  readonly resources: readonly string[]
}

export interface EntryRefusal {
  readonly reason: 'too-costly'
  readonly detail: string
}

/** Members of `who` where nobody, or more than one, asked. */
export const nobody: Who = {
  issuer: null,
  subject: null,
  client: null,
  practitioner: null,
  name: null,
  role: null,
  facility: null,
  organisation: null,
  token: null,
  address: null,
}

/**
 * An entry that stands for many requests: it attributes nothing to whoever happens to ask while it is made. Its status is
 * 0, its query empty, its counts are in `note`.
 */
export const countedAccess = (
  operation: string,
  requestId: string,
  note: Readonly<Record<string, string>>,
): AccessBase => ({
  requestId,
  clientRequestId: null,
  phase: 'access',
  action: 'authenticate',
  operation,
  who: nobody,
  purpose: null,
  breakGlassReason: null,
  query: { method: '', path: '', text: '', sha256: emptySha256 },
  decision: { outcome: 'error', reason: 'counted', detail: null },
  policyVersion: null,
  staleness: null,
  status: 0,
  note,
})

/** SHA-256 of no bytes. */
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** Room of the app's text in an entry: the rest is what the sequencer splices around it. */
const maxAccessBytes = limits.maxEntryBytes - limits.entryFrameBytes

/**
 * The entries of one access: one per patient, with continuations of at most `limits.maxEntryReferences` references and
 * `limits.maxEntryBytes`. References about no patient go into the entry of the only patient, else into entries of their
 * own, first. An access that disclosed nothing is one entry. Strings a client chose are cut, so that an entry always fits.
 *
 * @param organisation key of the accessor's chain, null: none.
 */
export function buildEntries(
  base: AccessBase,
  disclosed: readonly EntrySubject[],
  organisation: string | null,
): Result<EntryDraft[], EntryRefusal> {
  const subjects = groupByPatient(disclosed)
  const patients = subjects.filter(({ patient }) => patient !== null).length
  const maxPatients = base.phase === 'chunk' ? limits.maxAppendEntries : limits.maxAccessPatients
  if (patients > maxPatients)
    return err({ reason: 'too-costly', detail: `${patients} patients in one access` })

  const shared = canonicalMembers(boundStrings(base))
  const write = (pages: readonly EntrySubject[]): EntryDraft[] =>
    pages.map(({ patient, resources }, i) => ({
      access: canonicalText(shared, { patient, resources, part: i + 1, parts: pages.length }),
      patient,
      organisation,
    }))
  // Nearly every subject fits one entry: write it and see, instead of measuring each reference first.
  if (subjects.every(({ resources }) => resources.length <= limits.maxEntryReferences)) {
    const drafts = write(subjects)
    if (drafts.every(({ access }) => Buffer.byteLength(access) <= maxAccessBytes)) return ok(drafts)
  }
  const frameBytes = Buffer.byteLength(
    canonicalText(shared, { patient: null, resources: [], part: 9_999, parts: 9_999 }),
  )
  const pages = subjects.flatMap(({ patient, resources }) => {
    const roomBytes = maxAccessBytes - frameBytes - (patient === null ? 0 : jsonBytes(patient))
    return pageReferences(resources, roomBytes).map((page) => ({ patient, resources: page }))
  })
  if (pages.length > limits.maxAppendEntries)
    return err({ reason: 'too-costly', detail: `${pages.length} entries in one access` })
  return ok(write(pages))
}

/** One subject per patient, in the order they were met; what is about no patient first, or with the only patient. */
function groupByPatient(disclosed: readonly EntrySubject[]): EntrySubject[] {
  const byPatient = new Map<string, string[]>()
  const others: string[] = []
  for (const { patient, resources } of disclosed) {
    const references = patient === null ? others : (byPatient.get(patient) ?? [])
    if (patient !== null) byPatient.set(patient, references)
    for (const reference of resources) references.push(cutText(reference, limits.maxEntryTextBytes))
  }
  const subjects: EntrySubject[] = Array.from(byPatient, ([patient, resources]) => ({ patient, resources }))
  const [only] = subjects
  if (only && subjects.length === 1)
    return [{ patient: only.patient, resources: [...only.resources, ...others] }]
  if (others.length > 0 || subjects.length === 0) return [{ patient: null, resources: others }, ...subjects]
  return subjects
}

/** At least one page, so that a patient met without a reference has an entry too. */
function pageReferences(references: readonly string[], roomBytes: number): string[][] {
  let page: string[] = []
  let bytes = 0
  const pages = [page]
  for (const reference of references) {
    const size = jsonBytes(reference) + 1
    if (page.length === limits.maxEntryReferences || bytes + size > roomBytes) {
      page = []
      bytes = 0
      pages.push(page)
    }
    page.push(reference)
    bytes += size
  }
  return pages
}

/** Cuts everything whose length somebody outside chooses; all together stays well below `maxAccessBytes`. */
function boundStrings(base: AccessBase): AccessBase {
  const { who, query, decision, note } = base
  const short = <T extends string | null>(text: T): T => cutText(text, limits.maxEntryTextBytes)
  const long = <T extends string | null>(text: T): T => cutText(text, limits.maxEntryQueryBytes)
  return {
    ...base,
    clientRequestId: short(base.clientRequestId),
    operation: short(base.operation),
    who: {
      issuer: short(who.issuer),
      subject: short(who.subject),
      client: short(who.client),
      practitioner: short(who.practitioner),
      name: short(who.name),
      role: short(who.role),
      facility: short(who.facility),
      organisation: short(who.organisation),
      token: short(who.token),
      address: short(who.address),
    },
    purpose: short(base.purpose),
    breakGlassReason: long(base.breakGlassReason),
    query: {
      method: short(query.method),
      path: short(query.path),
      text: long(query.text),
      sha256: query.sha256,
    },
    decision: { outcome: decision.outcome, reason: short(decision.reason), detail: long(decision.detail) },
    note: note && boundNote(note),
  }
}

/** The first members that fit, in the order of the note. */
function boundNote(note: Readonly<Record<string, string>>): Record<string, string> {
  const bounded: Record<string, string> = {}
  let bytes = 0
  for (const [name, text] of Object.entries(note).slice(0, limits.maxEntryNotes)) {
    const member = [cutText(name, limits.maxEntryTextBytes), cutText(text, limits.maxEntryTextBytes)] as const
    bytes += jsonBytes(member[0]) + jsonBytes(member[1]) + 2
    if (bytes > limits.maxEntryNoteBytes) break
    bounded[member[0]] = member[1]
  }
  return bounded
}

/**
 * The longest beginning of `text` whose JSON string literal has at most `maxBytes` (escapes count), ending in `…` when
 * cut. A lone surrogate, which no UTF-8 can hold, becomes U+FFFD.
 */
function cutText<T extends string | null>(text: T, maxBytes: number): T
function cutText(text: string | null, maxBytes: number): string | null {
  if (text === null) return null
  const wellFormed = text.toWellFormed()
  // No character takes more than six bytes (\u001f): short texts need no count.
  if (wellFormed.length * 6 + 2 <= maxBytes || jsonBytes(wellFormed) <= maxBytes) return wellFormed
  let bytes = jsonBytes('…')
  let end = 0
  for (const character of wellFormed) {
    bytes += jsonBytes(character) - 2
    if (bytes > maxBytes) break
    end += character.length
  }
  return `${wellFormed.slice(0, end)}…`
}

const jsonBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text))

/** Name and canonical text of each member. */
type Members = readonly (readonly [string, string])[]

const canonicalMembers = (base: AccessBase): Members =>
  Object.entries(base).map(([name, value]) => [name, canonicalize(value) ?? 'null'])

/** RFC 8785: members in the order of their names. Of strings, lists of strings and integers, JSON is canonical already. */
function canonicalText(shared: Members, own: Omit<Access, keyof AccessBase>): string {
  const members = Object.entries(own).map(([name, value]) => [name, JSON.stringify(value)] as const)
  const sorted = [...shared, ...members].sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([name, text]) => `"${name}":${text}`).join(',')}}`
}
