/**
 * What a published bundle comes to, computed without a read: every entry's server id, its references rewritten, the
 * columns it is stored with and the database it belongs in. Entries that name what is stored have been resolved before
 * (`resolve.ts`).
 */
import type { BundleKind } from '../fhir/bundle.ts'
import { contentDigest } from '../fhir/digest.ts'
import type { Issue } from '../fhir/outcome.ts'
import {
  baseOfFullUrl,
  type FoundReference,
  findReferences,
  type ReferenceScope,
  type ReferenceTarget,
  replaceReferences,
  resolveReference,
} from '../fhir/references.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { initialPerson, ownSourceKey, type ServerIds, serverIds } from './identity.ts'
import { componentsInOrder, contentKey, cycleKeys } from './identity-content.ts'
import { type PersonKey, personKeys } from './person.ts'
import type { PlanContext } from './plan-context.ts'
import { describeDocument, type PlannedDocument } from './plan-document.ts'
import type { HeldCondition, PlanBundle, RemovalEntry, StoredDocument, WriteEntry } from './plan-entry.ts'
import {
  duplicateFullUrl,
  keyConflict,
  type RefusedStatus,
  statusOf,
  unresolvedReference,
} from './plan-issues.ts'
import { referenceScope } from './plan-scope.ts'

/** A `Patient` the bundle holds or refers to. */
export interface PlannedSourceRecord {
  readonly id: string
  /** The person it is about until it is joined with other source records. */
  readonly person: string
  /** Null where the bundle only refers to it. */
  readonly keys: readonly PersonKey[] | null
  /**
   * Its id comes from a source key of the publishing facility, which may then bring it in. Any other id is known from
   * elsewhere, cannot tell whose it is, and must exist.
   */
  readonly isDerived: boolean
  /** Whether one of its identifiers can tell it from, or join it with, another facility's record. */
  readonly isComparable: boolean
}

/**
 * What an entry came to: a document (several entries may share one), one that is there already, a deletion (null: of
 * nothing), or what is wrong with it (`batch` only).
 */
export type EntryOutcome =
  | { readonly document: number }
  | { readonly existing: StoredDocument }
  | { readonly removed: StoredDocument | null }
  | { readonly issues: readonly Issue[]; readonly status: RefusedStatus }

export interface Plan {
  readonly kind: BundleKind
  readonly documents: readonly PlannedDocument[]
  /** Documents to be deleted, in the version in which they were found. */
  readonly removals: readonly StoredDocument[]
  /** What must still hold when the rest is written. */
  readonly conditions: readonly HeldCondition[]
  readonly sourceRecords: readonly PlannedSourceRecord[]
  /** One per entry, in order. */
  readonly outcomes: readonly EntryOutcome[]
}

interface Draft {
  readonly entry: WriteEntry
  readonly references: readonly FoundReference[]
  readonly targets: readonly ReferenceTarget[]
  /** Null: known by its content only. */
  ownId: string | null
  /** Whether the sender used a server id, whose document must then exist. */
  readonly isServerId: boolean
}

/** What is wrong with the entry at this position. */
type Report = (index: number, ...found: readonly Issue[]) => void

/** Of one bundle, what all its steps look at. */
interface Planning {
  readonly context: PlanContext
  readonly ids: ServerIds
  readonly references: ReferenceScope
  readonly report: Report
}

/** @returns every issue of every entry; for a `batch` the issues are in `outcomes` and never fail the others. */
export function planPublication(bundle: PlanBundle, context: PlanContext): Result<Plan, readonly Issue[]> {
  const ids = serverIds(context.idKey, context.facility)
  const issues = new Map<number, Issue[]>()
  const report: Report = (index, ...found) => {
    issues.set(index, [...(issues.get(index) ?? []), ...found])
  }
  const entries: WriteEntry[] = []
  const removals: RemovalEntry[] = []
  bundle.entries.forEach((read, index) => {
    if (!read.ok) report(index, ...read.error)
    else if ('removes' in read.value) removals.push(read.value)
    else entries.push(read.value)
  })
  const planning = { context, ids, references: referenceScope(entries, context, ids.isServerId), report }
  const drafts = draftsOf(entries, planning)
  giveContentIds(drafts, ids.derive)
  reportFullUrls(drafts, report)
  const documents = documentsOf(bundle.kind, drafts, planning)
  for (const { index, removes } of removals) {
    const same = removes && documents.get(`${removes.type}/${removes.id}`)
    if (!same) continue
    report(index, keyConflict(index, same.index))
    if (bundle.kind === 'batch') report(same.index, keyConflict(same.index, index))
  }
  if (bundle.kind !== 'batch' && issues.size > 0)
    return err([...issues].sort(([a], [b]) => a - b).flatMap(([, found]) => found))
  return ok(assemble(bundle, context, ids, drafts, documents, issues))
}

/** Each entry validated, with its references resolved and the id that it brings; by position. */
function draftsOf(
  entries: readonly WriteEntry[],
  { context, ids, references: scope, report }: Planning,
): ReadonlyMap<number, Draft> {
  const typeAt = new Map(entries.map(({ index, resource }) => [index, resource.resourceType]))
  let allowance = limits.maxIssues
  const drafts = new Map<number, Draft>()
  for (const entry of entries) {
    const { index, resource, existing } = entry
    if (existing) {
      drafts.set(index, { entry, references: [], targets: [], ownId: existing.id, isServerId: true })
      continue
    }
    const references = findReferences(resource)
    const base = baseOfFullUrl(entry.fullUrl)
    const found = context.validate(resource, {
      at: `Bundle.entry[${index}].resource`,
      maxIssues: Math.max(1, Math.min(limits.maxEntryIssues, allowance)),
      typeOf: (text) => {
        const target = resolveReference(text, base, scope)
        return target.kind === 'entry' ? (typeAt.get(target.index) ?? null) : null
      },
    })
    allowance -= found.length
    if (found.length > 0) report(index, ...found)
    const targets = references.map(({ text }) => resolveReference(text, base, scope))
    targets.forEach((target, i) => {
      const reference = references[i]
      if (target.kind === 'unresolved' && reference)
        report(index, unresolvedReference(index, reference, target.why))
    })
    const { resourceType } = resource
    const isServerId = entry.putId !== null && ids.isServerId(resourceType, entry.putId)
    const key = isServerId ? null : ownSourceKey(entry, context.identitySystems)
    const ownId = isServerId ? entry.putId : key === null ? null : ids.derive(resourceType, key)
    drafts.set(index, { entry, references, targets, ownId, isServerId })
  }
  return drafts
}

const keyOf = ({ entry, ownId }: Draft): string => `${entry.resource.resourceType}/${ownId ?? ''}`

/** One `fullUrl` means one resource. */
function reportFullUrls(drafts: ReadonlyMap<number, Draft>, report: Report): void {
  const firstByFullUrl = new Map<string, string>()
  for (const draft of drafts.values()) {
    const { index, fullUrl } = draft.entry
    if (fullUrl === null) continue
    const key = keyOf(draft)
    const first = firstByFullUrl.get(fullUrl) ?? key
    firstByFullUrl.set(fullUrl, first)
    if (first !== key) report(index, duplicateFullUrl(index))
  }
}

/** What is written, each document once, by `Type/id`. */
function documentsOf(
  kind: BundleKind,
  drafts: ReadonlyMap<number, Draft>,
  { context, ids, references, report }: Planning,
): ReadonlyMap<string, PlannedDocument> {
  const entryAt = (index: number) => {
    const draft = drafts.get(index)
    return { type: draft?.entry.resource.resourceType ?? '', id: draft?.ownId ?? '' }
  }
  const persons = { context, ids, references, entryAt }
  const documents = new Map<string, PlannedDocument>()
  for (const draft of drafts.values()) {
    const { entry } = draft
    if (entry.existing) continue
    const resource = rewritten(draft, drafts, ids.derive)
    const described = describeDocument({ ...entry, resource }, draft.ownId ?? '', {
      rules: context.rules,
      persons,
      mustExist: draft.isServerId,
    })
    if (!described.ok) {
      report(entry.index, ...described.error)
      continue
    }
    const key = keyOf(draft)
    const same = documents.get(key)
    if (!same) documents.set(key, described.value)
    else if (same.hash === described.value.hash)
      documents.set(key, { ...same, expected: same.expected ?? described.value.expected })
    else {
      report(entry.index, keyConflict(entry.index, same.index))
      // Which of them is meant cannot be said: in a batch neither is stored.
      if (kind === 'batch') report(same.index, keyConflict(same.index, entry.index))
    }
  }
  return documents
}

/** Gives resources known by their content an id, targets of references first. */
function giveContentIds(
  drafts: ReadonlyMap<number, Draft>,
  derive: (type: string, sourceKey: string) => string,
): void {
  const nodes = [...drafts.values()].filter(({ ownId }) => ownId === null).map(({ entry }) => entry.index)
  const known = new Set(nodes)
  const targetsOf = ({ references, targets }: Draft): readonly number[] =>
    references
      .map(({ path }, i) => ({ path, target: targets[i] }))
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      .flatMap(({ target }) => (target?.kind === 'entry' && known.has(target.index) ? [target.index] : []))
  const draftOf = (node: number): Draft => drafts.get(node) as Draft
  const edges = new Map(nodes.map((node) => [node, targetsOf(draftOf(node))]))

  for (const members of componentsInOrder(nodes, (node) => edges.get(node) ?? [])) {
    const contents = members.map((node) => contentDigest(rewritten(draftOf(node), drafts, derive)))
    const [first = 0] = members
    const isCycle = members.length > 1 || (edges.get(first) ?? []).includes(first)
    const keys = isCycle
      ? cycleKeys(
          members.map((node, i) => ({
            label: contents[i] ?? '',
            targets: (edges.get(node) ?? []).flatMap((target) => {
              const position = members.indexOf(target)
              return position === -1 ? [] : [position]
            }),
          })),
        )
      : contents.map(contentKey)
    members.forEach((node, i) => {
      const draft = draftOf(node)
      draft.ownId = derive(draft.entry.resource.resourceType, keys[i] ?? '')
    })
  }
}

/** The resource with its references as stored; those to entries that have no id yet are left open. */
function rewritten(
  { entry, targets }: Draft,
  drafts: ReadonlyMap<number, Draft>,
  derive: (type: string, sourceKey: string) => string,
) {
  const texts = targets.map((target) => {
    if (target.kind === 'kept') return target.text
    if (target.kind === 'source') return `${target.type}/${derive(target.type, target.sourceKey)}`
    const draft = target.kind === 'entry' ? drafts.get(target.index) : undefined
    return draft ? `${draft.entry.resource.resourceType}/${draft.ownId ?? ''}` : ''
  })
  return replaceReferences(entry.resource, texts)
}

function assemble(
  bundle: PlanBundle,
  { idKey, facility, personSystems }: PlanContext,
  ids: ServerIds,
  drafts: ReadonlyMap<number, Draft>,
  planned: ReadonlyMap<string, PlannedDocument>,
  issues: ReadonlyMap<number, readonly Issue[]>,
): Plan {
  const documents = [...planned.values()].filter(({ index }) => !issues.has(index))
  const positions = new Map(documents.map(({ type, id }, position) => [`${type}/${id}`, position]))
  const keys = new Map<string, readonly PersonKey[]>()
  for (const { type, id, index } of documents) {
    const draft = drafts.get(index)
    if (type === 'Patient' && draft) keys.set(id, personKeys(draft.entry.resource))
  }
  const accepted = bundle.entries.map((read, index) => (read.ok && !issues.has(index) ? read.value : null))
  const removals = new Map<string, StoredDocument>()
  for (const entry of accepted)
    if (entry && 'removes' in entry && entry.removes)
      removals.set(`${entry.removes.type}/${entry.removes.id}`, entry.removes)
  const sourceIds = new Set(documents.map(({ sourceRecord }) => sourceRecord).filter((id) => id !== ''))
  return {
    kind: bundle.kind,
    documents,
    removals: [...removals.values()],
    conditions: bundle.conditions.filter(({ index }) => !issues.has(index)),
    sourceRecords: [...sourceIds].map((id) => ({
      id,
      person: initialPerson(idKey, facility, id),
      keys: keys.get(id) ?? null,
      isDerived: ids.wasDerived(id),
      isComparable: (keys.get(id) ?? []).some(({ system }) => personSystems.includes(system)),
    })),
    outcomes: bundle.entries.map((_, index) => {
      const found = issues.get(index)
      const entry = accepted[index]
      if (entry && 'removes' in entry) return { removed: entry.removes }
      if (entry?.existing) return { existing: entry.existing }
      const draft = drafts.get(index)
      const document = draft && positions.get(`${draft.entry.resource.resourceType}/${draft.ownId}`)
      if (!found && document !== undefined) return { document }
      const all = found ?? []
      return { issues: all, status: statusOf(all) }
    }),
  }
}
