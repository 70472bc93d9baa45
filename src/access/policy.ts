/**
 * Who may see what: pure and total. The policy is the authority; the row filter (`visible.ts`) is an index on it, and
 * every row that a statement lets through is decided here again.
 */
import { err, ok, type Result } from '../result.ts'
import type { Caller, CallerKind } from './caller.ts'
import type { PolicyRefusal } from './refusal.ts'

/** Of a document, what a decision rests on. */
export interface DecidedRow {
  readonly type: string
  readonly domain: string
  /** Facility that published it. */
  readonly facility: string
  /** From *records* (shared) or from the local database. */
  readonly shared: boolean
  /** Person id; the empty string for a document about no patient. */
  readonly person: string
  readonly confidentiality: string
}

export type PermitReason = 'shared-domain' | 'own-facility'

export type Decision =
  | { readonly outcome: 'permit'; readonly reason: PermitReason }
  | { readonly outcome: 'deny'; readonly reason: PolicyRefusal['cause'] }

/** Domains open to every provider: who the patient is, and who and where the others are. */
export const openDomains: readonly string[] = ['identity', 'directory']

/**
 * Types of which a facility's published resources stay its own: the record's audit trail and consent register are the
 * ledger and the register, never what a facility says.
 */
export const ownFacilityTypes: readonly string[] = ['AuditEvent', 'Consent']

export function decideRow(caller: Caller, row: DecidedRow): Decision {
  switch (caller.kind) {
    case 'privacy-officer':
      return deny('operation-not-for-caller')
    case 'facility-system':
      return row.facility === caller.facility.id ? permit('own-facility') : deny('not-own-facility')
    case 'provider': {
      const everywhere = row.shared && !ownFacilityTypes.includes(row.type)
      if (!everywhere && row.facility !== caller.facility.id) return deny('not-own-facility')
      if (!caller.domains.has(row.domain) && !openDomains.includes(row.domain))
        return deny('domain-not-permitted')
      return permit(everywhere ? 'shared-domain' : 'own-facility')
    }
  }
}

/** Whether this kind of caller uses this operation at all; `kinds` are those of `Operation.callers`. */
export function decideOperation(caller: Caller, kinds: readonly CallerKind[]): Result<void, PolicyRefusal> {
  if (kinds.includes(caller.kind)) return ok(undefined)
  return err({ reason: 'forbidden', cause: 'operation-not-for-caller' })
}

const permit = (reason: PermitReason): Decision => ({ outcome: 'permit', reason })
const deny = (reason: PolicyRefusal['cause']): Decision => ({ outcome: 'deny', reason })
