/** Under which ids the log speaks of a patient who asks, or of the ward of a guardian who does. */
import type { Caller } from '../access/caller.ts'
import type { OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { ok, type Result } from '../result.ts'
import { personIdsStatement, readPersonIds } from './person-ids.ts'

/**
 * None of other callers. A read batch of its own: who asks is known only after the first. Where a join came between the two,
 * these are the ids of the person of now.
 */
export async function loadOwnIds(
  ctx: Pick<OperationContext<unknown, unknown>, 'load'>,
  caller: Caller,
): Promise<Result<readonly string[], Refusal>> {
  if (caller.kind !== 'patient' && caller.kind !== 'guardian') return ok([])
  const { person } = caller
  const loaded = await ctx.load(() => ({ records: [personIdsStatement(person)] }))
  return loaded.ok ? readPersonIds(loaded.value.records[0] ?? []) : loaded
}
