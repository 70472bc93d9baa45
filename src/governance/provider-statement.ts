/** What a provider states about one patient, with a reason: that they care for them, or that there is an emergency. */
import type { Provider } from '../access/caller.ts'
import { forbidden } from '../access/refusal.ts'
import type { Settings, Subject } from '../access/subject.ts'
import type { OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { ok, type Result } from '../result.ts'
import { readFields } from './body.ts'
import { aboutPatient, patientId } from './fields.ts'

export interface ProviderStatement {
  readonly caller: Provider
  /** Null: nobody has this id. */
  readonly subject: Subject | null
  readonly settings: Settings
  /** Source record by which the patient is named. */
  readonly source: string
  readonly reason: string
}

/** The body is read once the caller's rights are known, the patient looked up once the body is valid. */
export async function readStatement(
  ctx: OperationContext<unknown, unknown>,
): Promise<Result<ProviderStatement, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const fields = await readFields(ctx, aboutPatient)
  if (!fields.ok) return fields
  const source = patientId(fields.value.patient)
  const loaded = await ctx.load(() => ({ subject: { by: 'patient', id: source } }))
  if (!loaded.ok) return loaded
  const { caller, subjects, settings } = loaded.value
  if (caller.kind !== 'provider') return forbidden('operation-not-for-caller')
  return ok({ caller, subject: subjects[0] ?? null, settings, source, reason: fields.value.reason })
}

/** Milliseconds since 1970. */
export const hoursAfter = (now: number, hours: number): number => now + hours * 60 * 60_000
