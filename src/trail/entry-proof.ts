/**
 * `GET /audit/proof/{log}/{index}`: one entry, opened, with its way to a checkpoint (C2SP tlog-proof). For officers, and
 * for those whom the entry is about.
 */
import * as z from 'zod'
import type { Caller } from '../access/caller.ts'
import { entryIndex, logName } from '../audit/log-name.ts'
import type { Access } from '../audit/port.ts'
import { checkpointsStatement, type PublishedCheckpoint, publishedCheckpoint } from '../audit/public-store.ts'
import { formatTlogProof } from '../audit/tlog/tlog-proof.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { OpenEntry, PrunedEntry, RedactedEntry } from './export-format.ts'
import { entryOf } from './export-rows.ts'
import { treeOf } from './export-tree.ts'
import { rangeStatement } from './ledger-sql.ts'
import { loadOwnIds } from './own-ids.ts'
import { newestBest, quorumOf } from './quorum.ts'

const param = z.object({
  log: z.string().regex(logName),
  index: z.string().regex(entryIndex),
})
const query = z.strictObject({})

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof query>>

export const entryProof: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  name: 'audit-proof',
  method: 'GET',
  path: '/audit/proof/:log/:index',
  action: 'audit-read',
  callers: ['privacy-officer', 'patient', 'guardian'],
  scope: () => ({ type: 'AuditEvent', interaction: 'r' }),
  param,
  query,
  mediaTypes: ['text/plain'],
  handle,
}

async function handle(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({}))
  if (!loaded.ok) return loaded
  const { caller } = loaded.value
  const { log, index } = ctx.param
  // Asked before the entry is looked for, so that it does not show whether there is one.
  const own = await loadOwnIds(ctx, caller)
  if (!own.ok) return own
  let found = await find(ctx)
  if (!found.isCovered && found.isKnown && (await isComing(ctx))) {
    const waitMs = preferredWaitSeconds(ctx.prefer) * 1_000
    const isPublished = waitMs > 0 && (await ctx.auditLogs.published(log, String(Number(index) + 1), waitMs))
    if (isPublished) found = await find(ctx)
    // Whose it is nobody can tell yet; that there is such an index, the next checkpoint tells anyone.
    if (!found.isCovered && found.entry === null) return ok(notYet(ctx, caller))
  }
  const { entry, checkpoints, isCovered } = found
  if (entry?.kind !== 'open') return err(notFound(ctx, caller, entry))
  const { access } = JSON.parse(entry.entry) as { readonly access: Access }
  if (!isOwn(caller, own.value, access)) return err(notOwn(ctx, caller, access))
  if (!isCovered) return ok(notYet(ctx, caller))
  return ok(await proofOf(ctx, caller, entry, checkpoints))
}

interface Found {
  readonly entry: OpenEntry | PrunedEntry | RedactedEntry | null
  /** Newest first. */
  readonly checkpoints: readonly PublishedCheckpoint[]
  readonly isCovered: boolean
  /** It is a log: asking a log that is none would begin it. */
  readonly isKnown: boolean
}

async function find({ ledger, logs, param: { log, index } }: Context): Promise<Found> {
  const at = Number(index)
  const [rows = [], published = [], registered = []] = await ledger.read(
    [
      rangeStatement(log, at, at + 1),
      checkpointsStatement(log, limits.maxCheckpointsTried),
      { sql: 'select 1 from log where log = ?', args: [log] },
    ],
    limits.exportPageDeadlineMs,
  )
  const checkpoints = published.map(publishedCheckpoint)
  return {
    entry: rows[0] ? entryOf(rows[0]) : null,
    checkpoints,
    isCovered: at < (checkpoints[0]?.size ?? 0),
    isKnown: logs.includes(log) || registered.length > 0,
  }
}

/** Whether the log has the entry, and will publish it. */
async function isComing({ auditLogs, param: { log, index } }: Context): Promise<boolean> {
  const status = await auditLogs.status(log)
  return status.ok && Number(index) < Number(status.value.size)
}

/** RFC 7240 §4.3. */
function preferredWaitSeconds(prefer: string | null): number {
  const [, seconds = '0'] = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})(?!\d)/i.exec(prefer ?? '') ?? []
  return Math.min(Number(seconds), limits.maxProofWaitSeconds)
}

/** @param persons ids of the patient who asks, or of the ward: an entry has that of its time */
function isOwn(caller: Caller, persons: readonly string[], { patient, who }: Access): boolean {
  switch (caller.kind) {
    case 'privacy-officer':
      return caller.organisation === null || caller.organisation === who.organisation
    case 'patient':
    case 'guardian':
      return patient !== null && persons.includes(patient)
    case 'provider':
    case 'facility-system':
    case 'access-manager':
    case 'operator':
      return false
  }
}

const nameOf = ({ param: { log, index } }: Context): string => `${log}/${index}`

/** That an entry was redacted or pruned only the officer of the whole record is told: nobody else could be told whose it was. */
function notFound(ctx: Context, caller: Caller, entry: PrunedEntry | RedactedEntry | null): Refusal {
  const refusal = { reason: 'not-found', what: nameOf(ctx) } as const
  if (entry === null) return refusal
  const isOfRecord = caller.kind === 'privacy-officer' && caller.organisation === null
  const issue = entry.kind === 'pruned' ? prunedIssue(entry) : redactedIssue(entry)
  return { ...refusal, cause: entry.kind, ...(isOfRecord ? { issues: [issue] } : {}) }
}

const redactedIssue = ({ redacted }: RedactedEntry) => ({
  code: 'deleted',
  text: {
    fr: `Cette entrée a été caviardée : voir l’entrée ${redacted} du même journal.`,
    en: `This entry was redacted: see entry ${redacted} of the same log.`,
  },
})

const prunedIssue = ({ pruned }: PrunedEntry) => ({
  code: 'deleted',
  text: {
    fr: `Cette entrée a dépassé sa durée de conservation : voir l’entrée ${pruned}.`,
    en: `This entry went by the retention policy: see entry ${pruned}.`,
  },
})

function notOwn(ctx: Context, caller: Caller, { patient }: Access): Refusal {
  return {
    reason: 'not-found',
    what: nameOf(ctx),
    ...(caller.kind === 'privacy-officer' ? { cause: 'not-own-organisation' } : {}),
    ...(patient === null ? {} : { patient }),
  }
}

const notYet = (ctx: Context, caller: Caller): Disclosure => ({
  status: 202,
  contentType: 'application/json; charset=utf-8',
  headers: { 'Retry-After': String(limits.proofRetrySeconds) },
  body: '{"published":false}',
  disclosed: [],
  reason: caller.kind,
  note: { entry: nameOf(ctx) },
})

async function proofOf(
  ctx: Context,
  caller: Caller,
  { index, salt, entry, patient }: OpenEntry,
  checkpoints: readonly PublishedCheckpoint[],
): Promise<Disclosure> {
  const covering = checkpoints.filter(({ size }) => size > index)
  const checkpoint = newestBest(covering, quorumOf(ctx.logPolicy)) as PublishedCheckpoint
  const [path = []] = await treeOf(ctx.ledger, ctx.param.log, checkpoint.size).inclusion([index])
  const extra = new Uint8Array([...salt, ...new TextEncoder().encode(entry)])
  return {
    status: 200,
    contentType: 'text/plain; charset=utf-8',
    headers: { 'Content-Disposition': `attachment; filename="${ctx.param.log}-${index}.tlog-proof"` },
    body: formatTlogProof({ extra, index: BigInt(index), path, checkpoint: checkpoint.note }),
    disclosed: [{ patient, resources: [] }],
    reason: caller.kind,
    note: { entry: nameOf(ctx) },
  }
}
