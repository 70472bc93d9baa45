/** Carries a plan out in the three steps of `documents.ts`, and tells what came of each entry. */
import type { Writers } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import type { Issue } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { StoreError, type Writer } from '../store/ports.ts'
import { type Publication, type RecordsOutcome, writeRecords } from './documents.ts'
import { dropPending, type Finished, finishLocal, prepareLocal, readLocal } from './documents-local.ts'
import { documentKey, idRows } from './documents-rows.ts'
import { type LatestVersion, latestVersion, latestVersions } from './documents-sql.ts'
import { guardKeys } from './guards.ts'
import type { Plan } from './plan.ts'
import type { PlannedDocument } from './plan-document.ts'
import { overtaken, preconditionFailed } from './plan-issues.ts'
import { contradiction, nameable, otherVersionThan, refusal, withoutRefused } from './publish-conflict.ts'
import { finishDecided, finishEarlier } from './settle.ts'
import { sourceRecordRow, sourceRecordsOf } from './source-records.ts'

export interface Stored {
  readonly plan: Plan
  readonly inRecords: RecordsOutcome
  /** Null when nothing was written locally. */
  readonly inLocal: Finished | null
}

/** Rejects with `StoreError`, after which the publication is settled by its key. */
export async function carryOut(
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

  const prepared = local === null ? ok(false) : await prepare(local, accepted, known)
  if (!prepared.ok) return prepared
  const isPending = prepared.value
  let inRecords: RecordsOutcome
  try {
    inRecords = await writeRecords(records, accepted, known)
  } catch (error) {
    if (!isConflict(error)) throw error
    // What waits would keep others from what it guards.
    if (local !== null && isPending && (await records.abort(accepted.key)))
      await local.apply([dropPending(accepted.key)])
    const { latest, sourceRecords } = await readStored(records, plan)
    return err(
      refusalFor(
        issuesOf(
          plan,
          [latest, known],
          (document, found) =>
            refusal(document, facility, found, sourceRecords) ?? otherVersionThan(document, found),
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

/** Step 1, with what it says of a guard that does not hold, or another's that this would break. */
async function prepare(
  local: Writer,
  publication: Publication,
  known: ReadonlyMap<string, LatestVersion>,
): Promise<Result<boolean, Refusal>> {
  try {
    return ok(await prepareLocal(local, publication, known))
  } catch (error) {
    if (!isConflict(error)) throw error
    const { plan, facility } = publication
    if (guardKeys(plan).length === 0)
      return err({
        reason: 'store-unavailable',
        detail: 'a conditional write of these documents is under way',
      })
    const { known: now } = await readLocal(local, facility, plan.documents)
    return err(refusalFor(issuesOf(plan, [now], otherVersionThan)))
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof StoreError && error.code === 'constraint' && error.message.includes('conflict')

/**
 * What the local database has of the documents. A write of some of them that was decided but interrupted before its last
 * step comes first: finished after this one, it would put older content on top.
 */
async function readSettled(
  records: Writer,
  local: Writer,
  { facility, plan }: Publication,
): Promise<ReadonlyMap<string, LatestVersion>> {
  const concerned = [...plan.documents, ...plan.removals]
  const { known, waiting } = await readLocal(local, facility, concerned)
  const finished = await finishDecided(records, local, waiting)
  return finished > 0 ? (await readLocal(local, facility, concerned)).known : known
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

/** Where nothing is wrong with what is stored now, it changed in between. */
function refusalFor(issues: ReadonlyMap<number, Issue>): Refusal {
  return refusalOf(issues.size > 0 ? [...issues.values()] : [overtaken(null)])
}

/** Of a whole request. */
export function refusalOf(issues: readonly Issue[]): Refusal {
  const told = issues.slice(0, limits.maxIssues)
  const what = told[0]?.expression ?? ''
  if (told.some(({ tag }) => tag === preconditionFailed))
    return { reason: 'precondition-failed', what, issues: told }
  if (told.some(({ code }) => code === 'conflict')) return { reason: 'conflict', issues: told }
  return { reason: 'not-found', what, issues: told }
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
