/** Entries of a bundle as they are planned: whatever names something stored has been looked up. */
import type { BundleEntry, BundleKind, SentBundle } from '../fhir/bundle.ts'
import type { Condition } from '../fhir/condition.ts'
import type { Issue } from '../fhir/outcome.ts'
import { ok, type Result } from '../result.ts'

/** A current document of the publishing facility, as it was found at the primary. */
export interface StoredDocument {
  readonly type: string
  readonly id: string
  readonly version: number
  readonly published: string
  /** Empty: about nobody. */
  readonly person: string
  readonly sourceRecord: string
  /** `system|code` of all codings, and codes: what scopes ask about. */
  readonly categories: readonly string[]
  readonly codes: readonly string[]
  readonly status: string
  /** In *records*; else in the local database. */
  readonly isShared: boolean
  /** Served text; empty unless it was asked for. */
  readonly body: string
}

export interface WriteEntry extends Pick<BundleEntry, 'index' | 'fullUrl' | 'resource' | 'putId'> {
  /** The version that must still be the current one. */
  readonly expected?: number
  /** What is there already and stays as it is: the resource is not written. */
  readonly existing?: StoredDocument
}

export interface RemovalEntry {
  readonly index: number
  /** Null: there is nothing to delete. */
  readonly removes: StoredDocument | null
}

/** That of all current documents of a type which the facility has published, exactly one, or none, meets a condition. */
export interface HeldCondition extends Condition {
  /** Position of the entry. */
  readonly index: number
  readonly type: string
  /** What meets it; null: nothing. */
  readonly found: StoredDocument | null
}

export interface PlanBundle {
  readonly kind: BundleKind
  /** One per entry, in order. */
  readonly entries: readonly Result<WriteEntry | RemovalEntry, readonly Issue[]>[]
  readonly conditions: readonly HeldCondition[]
}

/** The bundle as it can be planned; null: something stored must be looked up first. */
export function planned({ kind, entries }: SentBundle): PlanBundle | null {
  const direct: Result<WriteEntry, readonly Issue[]>[] = []
  for (const entry of entries) {
    if (!entry.ok) direct.push(entry)
    else if ('deletes' in entry.value) return null
    else {
      const { ifNoneExist, updates, ifMatch } = entry.value
      if (ifNoneExist ?? updates ?? ifMatch) return null
      direct.push(ok(entry.value))
    }
  }
  return { kind, entries: direct, conditions: [] }
}
