/** From entries that a facility's system sent to what came of them: planned, intended, carried out. */
import type { Facility } from '../access/caller.ts'
import { allowsRow, grantsFor, type ScopedRow, type Scopes } from '../access/scope.ts'
import type { OperationContext, Writers } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import type { SentBundle } from '../fhir/bundle.ts'
import type { Issue } from '../fhir/outcome.ts'
import { validateResource } from '../fhir/validate.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Row } from '../store/ports.ts'
import type { CareSettings } from './care-window.ts'
import { carryOut, refusalOf, type Stored } from './carry-out.ts'
import { personSystems } from './person.ts'
import { type Plan, planPublication } from './plan.ts'
import type { PlanContext } from './plan-context.ts'
import type { PlannedDocument } from './plan-document.ts'
import { type PlanBundle, planned, type StoredDocument } from './plan-entry.ts'
import { outOfScope, statusOf } from './plan-issues.ts'
import { withoutRefused } from './publish-conflict.ts'
import { resolve } from './resolve.ts'
import { type SharingRule, sharingRules } from './sharing.ts'

/** What every write needs of its request, whatever its parameters. */
export type WriteContext = OperationContext<unknown, unknown>

/** Who writes, and what planning depends on. */
export interface Publishing {
  readonly ctx: WriteContext
  readonly facility: Facility
  readonly context: PlanContext
  readonly settings: CareSettings
  /** The local database of the facility's region is served here. */
  readonly hasLocal: boolean
  /** ISO 8601 UTC with milliseconds: of every version written. */
  readonly published: string
}

export interface Carried extends Stored {
  readonly published: string
}

/** The load of a write: the caller's rights, and the rules of publishing. */
export async function beginPublishing(ctx: WriteContext): Promise<Result<Publishing, Refusal>> {
  const loaded = await ctx.load(() => ({ records: [sharingRules, personSystems] }))
  if (!loaded.ok) return loaded
  const { caller, records, settings, hasLocal } = loaded.value
  if (caller.kind !== 'facility-system')
    return err({ reason: 'forbidden', cause: 'operation-not-for-caller' })
  const [ruleRows = [], systemRows = []] = records
  const { facility } = caller
  const definitions = await ctx.definitions()
  return ok({
    ctx,
    facility,
    context: {
      facility: facility.id,
      identitySystems: facility.identitySystems,
      idKey: ctx.keys.idKey,
      rules: ruleRows.map(sharingRule),
      personSystems: systemRows.map(({ system }) => system as string),
      baseUrl: `${ctx.origin}/fhir/`,
      validate: (resource, options) => validateResource(resource, definitions, options),
    },
    settings,
    hasLocal,
    published: new Date(ctx.now).toISOString(),
  })
}

/** What is wrong with the entries themselves is told before anything is intended. */
export async function writeBundle(
  publishing: Publishing,
  sent: SentBundle,
  note: Readonly<Record<string, string>>,
): Promise<Result<Carried, Refusal>> {
  const direct = planned(sent)
  if (direct) {
    const plan = planFor(publishing, direct)
    if (!plan.ok) return plan
    const intended = await publishing.ctx.intend(note)
    return intended.ok ? await carry(publishing, plan.value, intended.value) : intended
  }
  const wrong = sent.entries.flatMap((entry) => (entry.ok ? [] : entry.error))
  if (sent.kind !== 'batch' && wrong.length > 0) return err(refusalOfPlan(wrong))
  const intended = await intendLookup(publishing, note)
  if (!intended.ok) return intended
  const resolved = await resolve(sent, {
    ...readingIn(publishing, intended.value),
    mayDelete: (document) => mayDelete(publishing.ctx.scopes, document),
    withBodies: sent.entries.length === 1,
  })
  const plan = planFor(publishing, resolved)
  return plan.ok ? await carry(publishing, plan.value, intended.value) : plan
}

/** Phase one of a write that looks something up first, where both databases can be asked. */
export async function intendLookup(
  { ctx, hasLocal }: Publishing,
  note: Readonly<Record<string, string>>,
): Promise<Result<Writers, Refusal>> {
  return hasLocal ? await ctx.intend(note) : err(localElsewhere)
}

export const readingIn = ({ facility, context: { idKey } }: Publishing, { records, local }: Writers) => ({
  facility: facility.id,
  idKey,
  records,
  local,
})

export async function carry(
  { ctx, facility, settings, published }: Publishing,
  plan: Plan,
  writers: Writers,
): Promise<Result<Carried, Refusal>> {
  const stored = await carryOut(writers, {
    key: ctx.requestId,
    facility: facility.id,
    published,
    plan,
    settings,
  })
  return stored.ok ? ok({ ...stored.value, published }) : stored
}

/** The plan of what may be written; what may not be is refused, in a `batch` entry by entry. */
export function planFor(
  { ctx: { scopes }, context, hasLocal }: Publishing,
  bundle: PlanBundle,
): Result<Plan, Refusal> {
  const whole = planPublication(bundle, context)
  if (!whole.ok) return err(refusalOfPlan(whole.error))
  const { size } = new Set([
    ...whole.value.sourceRecords.map(({ id }) => id),
    ...whole.value.removals.map(({ sourceRecord }) => sourceRecord),
    ...whole.value.outcomes.flatMap((outcome) =>
      'existing' in outcome ? [outcome.existing.sourceRecord] : [],
    ),
  ])
  if (size > limits.maxAccessPatients)
    return err({ reason: 'too-costly', of: 'patients', got: size, max: limits.maxAccessPatients })
  const unscoped = issuesOutOfScope(whole.value, scopes)
  if (unscoped.size > 0 && whole.value.kind !== 'batch')
    return err({ reason: 'forbidden', cause: 'scope-insufficient' })
  const plan = withoutRefused(whole.value, unscoped)
  return hasLocal || plan.documents.every(({ route }) => route === 'records') ? ok(plan) : err(localElsewhere)
}

const localElsewhere: Refusal = {
  reason: 'store-unavailable',
  detail: 'the local database of this facility is not served here',
}

function refusalOfPlan(found: readonly Issue[]): Refusal {
  const issues = found.slice(0, limits.maxIssues)
  switch (statusOf(issues)) {
    case 403:
      return { reason: 'forbidden', cause: 'scope-insufficient' }
    case 409:
    case 412:
      return refusalOf(issues)
    default:
      return { reason: 'invalid', issues }
  }
}

/** Entries that the token's scopes do not allow, by position of the planned document. */
function issuesOutOfScope({ documents }: Plan, scopes: Scopes): ReadonlyMap<number, Issue> {
  const refused = new Map<number, Issue>()
  documents.forEach((document, position) => {
    const { index, type, interaction } = document
    const grants = grantsFor(scopes, 'facility-system', { type, interaction })
    if (!allowsRow(grants, plannedRow(document))) refused.set(position, outOfScope(index))
  })
  return refused
}

/** Of what is not there, by its type alone. */
function mayDelete(
  scopes: Scopes,
  document: Pick<StoredDocument, 'type'> & Partial<StoredDocument>,
): boolean {
  const grants = grantsFor(scopes, 'facility-system', { type: document.type, interaction: 'd' })
  return document.id === undefined
    ? grants === null || grants.length > 0
    : allowsRow(grants, scopedRow(document))
}

/** What scopes ask about a stored document. */
export const scopedRow = ({
  categories = [],
  codes = [],
  status = '',
}: Partial<StoredDocument>): ScopedRow => ({
  isInContext: false,
  categories,
  codes,
  statuses: [status],
})

/** What scopes ask about a document that is to be written. */
export function plannedRow({ category, code, status, lookups }: PlannedDocument): ScopedRow {
  const further = (name: string) => lookups.flatMap(([param, value]) => (param === name ? [value] : []))
  return scopedRow({
    categories: [category, ...further('category')],
    codes: [code, ...further('code')],
    status,
  })
}

const sharingRule = (row: Row): SharingRule => ({
  domain: row.domain as string,
  type: row.type as string,
  category: row.category as string,
  code: row.code as string,
  confidentiality: row.confidentiality as string,
  shared: Number(row.shared) === 1,
})
