/**
 * `POST /fhir`: a facility's system publishes a bundle. Nothing is read to decide what a document is; the same bundle
 * sent again changes nothing.
 */
import { z } from 'zod'
import type { Facility } from '../access/caller.ts'
import { allowsRow, grantsFor, type Scopes } from '../access/scope.ts'
import type { Disclosure, Operation, OperationContext, Writers } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { readBundle } from '../fhir/bundle.ts'
import type { Definitions } from '../fhir/definitions.ts'
import { isObject, parseJson } from '../fhir/json.ts'
import type { Issue } from '../fhir/outcome.ts'
import { validateResource } from '../fhir/validate.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { type Row, StoreError, type Writer } from '../store/ports.ts'
import { type Publication, type RecordsOutcome, writeRecords } from './documents.ts'
import { type Finished, finishLocal, prepareLocal, readLocal } from './documents-local.ts'
import { documentKey, idRows } from './documents-rows.ts'
import { type LatestVersion, latestVersion, latestVersions } from './documents-sql.ts'
import { disclosedOf } from './page.ts'
import { personSystems } from './person.ts'
import { type Plan, planPublication } from './plan.ts'
import type { PlannedDocument } from './plan-document.ts'
import { outOfScope } from './plan-issues.ts'
import { contradiction, nameable, refusal, withoutRefused } from './publish-conflict.ts'
import { responseBundle, type Written, writtenDocuments } from './publish-response.ts'
import { finishDecided, finishEarlier } from './settle.ts'
import { type SharingRule, sharingRules } from './sharing.ts'
import { sourceRecordRow, sourceRecordsOf } from './source-records.ts'

const param = z.object({})
const query = z.strictObject({
  _format: z.enum(['json', 'application/json', 'application/fhir+json']).optional(),
})
type Context = OperationContext<z.infer<typeof param>, z.infer<typeof query>>

export const publishBundle: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  name: 'publish',
  method: 'POST',
  path: '/fhir',
  action: 'publish',
  callers: ['facility-system'],
  // Entry by entry: what a bundle holds is known only when it has been read.
  scope: () => null,
  param,
  query,
  bodyTypes: ['application/fhir+json', 'application/json'],
  handle: publish,
}

async function publish(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({ records: [sharingRules, personSystems] }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (caller.kind !== 'facility-system')
    return err({ reason: 'forbidden', cause: 'operation-not-for-caller' })

  const body = await ctx.body()
  if (!body.ok) return body
  const planned = plan(ctx, body.value, caller.facility, records, await ctx.definitions())
  if (!planned.ok) return planned
  const unscoped = issuesOutOfScope(planned.value, ctx.scopes)
  if (unscoped.size > 0 && planned.value.kind !== 'batch')
    return err({ reason: 'forbidden', cause: 'scope-insufficient' })
  const publication: Publication = {
    key: ctx.requestId,
    facility: caller.facility.id,
    published: new Date(ctx.now).toISOString(),
    plan: withoutRefused(planned.value, unscoped),
    settings: loaded.value.settings,
  }
  const { documents, kind, outcomes } = publication.plan
  if (!loaded.value.hasLocal && documents.some(({ route }) => route === 'local'))
    return err({
      reason: 'store-unavailable',
      detail: 'the local database of this facility is not served here',
    })

  const intended = await ctx.intend({ bundle: kind, entries: String(outcomes.length) })
  if (!intended.ok) return intended
  const written = await write(intended.value, publication)
  if (!written.ok) return written
  return ok(disclosure(ctx, publication.published, written.value))
}

function plan(
  ctx: Context,
  body: string,
  facility: Facility,
  rows: readonly (readonly Row[])[],
  definitions: Definitions,
): Result<Plan, Refusal> {
  const [ruleRows = [], systemRows = []] = rows
  const parsed = parseJson(body)
  if (!parsed.ok) return err({ reason: 'invalid', issues: [parsed.error] })
  const entries = entryCount(parsed.value)
  if (entries > limits.maxBundleEntries)
    return err({ reason: 'too-costly', of: 'entries', got: entries, max: limits.maxBundleEntries })
  const bundle = readBundle(parsed.value)
  if (!bundle.ok) return err({ reason: 'invalid', issues: bundle.error })
  const planned = planPublication(bundle.value, {
    facility: facility.id,
    identitySystems: facility.identitySystems,
    idKey: ctx.keys.idKey,
    rules: ruleRows.map(sharingRule),
    personSystems: systemRows.map(({ system }) => system as string),
    baseUrl: `${ctx.origin}/fhir/`,
    validate: (resource, options) => validateResource(resource, definitions, options),
  })
  if (!planned.ok) {
    const issues = planned.error.slice(0, limits.maxIssues)
    return err({ reason: issues.every(({ code }) => code === 'conflict') ? 'conflict' : 'invalid', issues })
  }
  const { length } = planned.value.sourceRecords
  if (length > limits.maxAccessPatients)
    return err({ reason: 'too-costly', of: 'patients', got: length, max: limits.maxAccessPatients })
  return planned
}

/** Entries that the token's scopes do not allow, by position of the planned document. */
function issuesOutOfScope({ documents }: Plan, scopes: Scopes): ReadonlyMap<number, Issue> {
  const refused = new Map<number, Issue>()
  documents.forEach(({ index, type, interaction, category, code, status, lookups }, position) => {
    const grants = grantsFor(scopes, 'facility-system', { type, interaction })
    const further = (name: string): readonly string[] =>
      lookups.filter(([param]) => param === name).map(([, value]) => value)
    const codings = {
      isInContext: false,
      categories: [category, ...further('category')],
      codes: [code, ...further('code')],
      statuses: [status],
    }
    if (!allowsRow(grants, codings)) refused.set(position, outOfScope(index))
  })
  return refused
}

/** Of what may be no bundle at all. */
const entryCount = (value: unknown): number =>
  isObject(value) && Array.isArray(value.entry) ? value.entry.length : 0

interface Stored {
  readonly plan: Plan
  readonly inRecords: RecordsOutcome
  /** Null when nothing was written locally. */
  readonly inLocal: Finished | null
}

/** The three steps of `documents.ts`. Rejects with `StoreError`, after which the publication is settled by its key. */
async function write(
  { records, local }: Writers,
  publication: Publication,
): Promise<Result<Stored, Refusal>> {
  const { facility } = publication
  const known = local ? await readSettled(records, local, publication) : new Map<string, LatestVersion>()

  // What the local database already contradicts: fails a transaction, drops out of a batch.
  const contradicted = issuesOf(publication.plan, [known], (document, stored) =>
    contradiction(document, facility, stored),
  )
  if (contradicted.size > 0 && publication.plan.kind !== 'batch') return err(refusalFor(contradicted))
  const plan = withoutRefused(publication.plan, contradicted)
  const accepted = { ...publication, plan }

  const isPending = local !== null && (await prepareLocal(local, accepted, known))
  let inRecords: RecordsOutcome
  try {
    inRecords = await writeRecords(records, accepted, known)
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'constraint' || !error.message.includes('conflict'))
      throw error
    const { latest, sourceRecords } = await readStored(records, plan)
    return err(
      refusalFor(
        issuesOf(plan, [latest, known], (document, found) =>
          refusal(document, facility, found, sourceRecords),
        ),
      ),
    )
  }
  if (local !== null && isPending) await finishEarlier(records, local, accepted.key, inRecords.writeClock)
  const unshared = plan.documents.filter(({ route }) => route === 'local')
  const inLocal =
    local !== null && isPending
      ? await finishLocal(
          local,
          accepted,
          { latest: [...inRecords.latest.values()], sourceRecords: inRecords.sourceRecords },
          idRows(unshared),
        )
      : null
  // What the batches passed over: entries of a `batch`, each for itself.
  const stored = [inRecords.latest, inLocal?.latest ?? known]
  const sourceRecords = nameable(plan, inRecords.sourceRecords)
  const passedOver = issuesOf(plan, stored, (document, found) =>
    refusal(document, facility, found, sourceRecords),
  )
  return ok({ plan: withoutRefused(plan, passedOver), inRecords, inLocal })
}

/**
 * What the local database has of the documents. A write of some of them that was decided but interrupted before its last
 * step comes first: finished after this one, it would put older content on top.
 */
async function readSettled(
  records: Writer,
  local: Writer,
  { facility, plan }: Publication,
): Promise<ReadonlyMap<string, LatestVersion>> {
  const { known, waiting } = await readLocal(local, facility, plan.documents)
  const finished = await finishDecided(records, local, waiting)
  return finished > 0 ? (await readLocal(local, facility, plan.documents)).known : known
}

/** Issues by position of the planned document. */
function issuesOf(
  plan: Plan,
  databases: readonly ReadonlyMap<string, LatestVersion>[],
  judge: (document: PlannedDocument, stored: readonly LatestVersion[]) => Issue | null,
): ReadonlyMap<number, Issue> {
  const found = new Map<number, Issue>()
  plan.documents.forEach((document, position) => {
    const key = documentKey(document)
    const stored = databases.map((latest) => latest.get(key)).filter((latest) => latest !== undefined)
    const issue = judge(document, stored)
    if (issue) found.set(position, issue)
  })
  return found
}

function refusalFor(issues: ReadonlyMap<number, Issue>): Refusal {
  const all = [...issues.values()].slice(0, limits.maxIssues)
  return all.some(({ code }) => code === 'conflict')
    ? { reason: 'conflict', issues: all }
    : { reason: 'not-found', what: all[0]?.expression ?? '', issues: all }
}

async function readStored(records: Writer, plan: Plan) {
  const [rows = [], sources = []] = await records.read([
    latestVersions(JSON.stringify(idRows(plan.documents))),
    sourceRecordsOf(plan.sourceRecords.map(({ id }) => id)),
  ])
  return {
    latest: new Map(rows.map(latestVersion).map((latest) => [documentKey(latest), latest])),
    sourceRecords: nameable(plan, sources.map(sourceRecordRow)),
  }
}

function disclosure(ctx: Context, published: string, { plan, inRecords, inLocal }: Stored): Disclosure {
  const written = writtenDocuments(plan, published, inRecords, inLocal)
  const count = (is: (document: Written) => boolean): string => String(written.filter(is).length)
  return {
    status: 200,
    contentType: 'application/fhir+json; charset=utf-8',
    headers: { 'Dossier-Clock': inRecords.clock },
    body: JSON.stringify(responseBundle(plan, written, published, ctx.language)),
    disclosed: disclosedOf(written.map(({ latest }) => latest)),
    reason: 'own-facility',
    note: {
      bundle: plan.kind,
      created: count(({ state }) => state === 'created'),
      updated: count(({ state }) => state === 'updated'),
      unchanged: count(({ state }) => state === 'unchanged'),
      refused: String(plan.outcomes.filter((outcome) => 'issues' in outcome).length),
    },
  }
}

const sharingRule = (row: Row): SharingRule => ({
  domain: row.domain as string,
  type: row.type as string,
  category: row.category as string,
  code: row.code as string,
  confidentiality: row.confidentiality as string,
  shared: Number(row.shared) === 1,
})
