/**
 * Whose entries an export may hold: the officer of the record has all, that of an organisation what its own professionals
 * did, a patient what is about them, a guardian what is about the ward.
 */
import type { Caller, CallerKind } from '../access/caller.ts'
import { forbidden } from '../access/refusal.ts'
import type { OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { err, ok, type Result } from '../result.ts'
import { loadOwnIds } from './own-ids.ts'
import { ownOrganisation } from './own-organisation.ts'
import { personIdsStatement, readPersonIds } from './person-ids.ts'

/** What of the query decides it. */
interface Asked {
  readonly log?: string | string[] | undefined
  readonly patient?: string | undefined
  readonly organisation?: string | undefined
}

export interface ExportScope {
  readonly caller: CallerKind
  /** Every id of the patient asked for, today's first; none where no patient is. */
  readonly persons: readonly string[]
  /** The filters that the caller is held to. */
  readonly organisation?: string
  readonly patient?: string
}

type Context = OperationContext<unknown, unknown>

export async function exportScope(ctx: Context, asked: Asked): Promise<Result<ExportScope, Refusal>> {
  const { patient } = asked
  const loaded = await ctx.load(() => ({
    records: patient === undefined ? [] : [personIdsStatement(patient)],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (caller.kind === 'patient' || caller.kind === 'guardian') return await ownScope(ctx, caller, asked)
  const organisation = ownOrganisation(caller, asked.organisation)
  if (!organisation.ok) return organisation
  const persons = readPersonIds(records[0] ?? [])
  if (!persons.ok) return persons
  return ok({
    caller: caller.kind,
    persons: persons.value,
    ...(organisation.value === null ? {} : { organisation: organisation.value }),
  })
}

async function ownScope(
  ctx: Context,
  caller: Caller,
  { patient, organisation, log }: Asked,
): Promise<Result<ExportScope, Refusal>> {
  if (organisation !== undefined) return notWhole('organisation')
  if (log !== undefined) return notWhole('log')
  const persons = await loadOwnIds(ctx, caller)
  if (!persons.ok) return persons
  // Whether there is such a person is not told.
  if (patient !== undefined && !persons.value.includes(patient)) return forbidden('person-unknown')
  return ok({ caller: caller.kind, persons: persons.value, patient: patient ?? (persons.value[0] as string) })
}

const notWhole = (expression: string): Result<never, Refusal> =>
  err({
    reason: 'invalid',
    issues: [
      {
        code: 'value',
        expression,
        text: {
          fr: `L’exportation de ses propres accès les couvre dans tous les journaux et toutes les organisations : sans ${expression}.`,
          en: `An export of one’s own accesses covers them in all logs and organisations: without ${expression}.`,
        },
      },
    ],
  })
