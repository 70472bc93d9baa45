/** How far a privacy officer may ask: the record's about any organisation, an organisation's about its own. */
import type { Caller } from '../access/caller.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { err, ok, type Result } from '../result.ts'

/** Whom an officer asks about; null: all, which only the record's own may. */
export function ownOrganisation(caller: Caller, asked: string | undefined): Result<string | null, Refusal> {
  if (caller.kind !== 'privacy-officer')
    return err({ reason: 'forbidden', cause: 'operation-not-for-caller' })
  if (caller.organisation === null) return ok(asked ?? null)
  if (asked !== undefined && asked !== caller.organisation)
    return err({ reason: 'forbidden', cause: 'not-own-organisation' })
  return ok(caller.organisation)
}
