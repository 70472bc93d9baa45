/**
 * Where an export begins: which logs there are, how far each has grown by now, and a checkpoint that covers that. A log
 * that cannot be asked, or does not publish in time, is exported as far as its newest checkpoint goes.
 */
import type { Attestation, AuditLogs, ListedLog } from '../audit/port.ts'
import { checkpointsStatement, type PublishedCheckpoint, publishedCheckpoint } from '../audit/public-store.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Reader, Row } from '../store/ports.ts'
import { type ChainKind, logsStatement, pruningLogsStatement, registeredStatement } from './ledger-sql.ts'
import { type MeetsQuorum, newestBest } from './quorum.ts'

export interface LogSource {
  readonly ledger: Reader
  readonly auditLogs: Pick<AuditLogs, 'attest' | 'published'>
  /** Names of the logs served here. */
  readonly logs: readonly string[]
}

/** A log and what it signed, as of one size. */
export interface FixedLog {
  readonly log: string
  readonly origin: string
  readonly keys: readonly string[]
  readonly size: number
  readonly isCurrent: boolean
  /** Null for a log without entries. */
  readonly checkpoint: PublishedCheckpoint | null
  /** One for each chain; null where the log was not asked. */
  readonly heads: readonly string[] | null
  /** The list of logs that it signed; null where it was not asked. */
  readonly list: string | null
  /** It was not asked for: only what it says of one that was is told, why entries of that are gone. */
  readonly isAdded: boolean
}

/** Of one organisation, or of one person under every id that the log has of them. */
export interface Chains {
  readonly kind: ChainKind
  readonly keys: readonly string[]
}

/** What a log answered, and whether a checkpoint covers the size that it told. */
interface Said {
  readonly attestation: Attestation | null
  readonly isPublished: boolean
}

/** @param asked names; none: all there are */
export async function fixLogs(
  source: LogSource,
  asked: readonly string[],
  chains: Chains | null,
  meetsQuorum: MeetsQuorum,
): Promise<Result<readonly FixedLog[], Refusal>> {
  const { ledger, auditLogs, logs: served } = source
  const waitMs = limits.exportDrainWaitMs
  // A log that has just started, or that nobody has used yet, is given time to learn how far it had come: before, it signs nothing.
  await Promise.all(served.map((log) => auditLogs.published(log, '0', 0)))
  const [ledgerLogs = [], registered = []] = await ledger.read([logsStatement, registeredStatement])
  const known = [...served, ...[...ledgerLogs, ...registered].map(({ log }) => String(log))]
  const added = asked.length > 0 ? await ledger.read([pruningLogsStatement(asked)]) : []
  const names =
    asked.length > 0
      ? [...new Set([...asked, ...(added[0] ?? []).map(({ log }) => String(log))])]
      : [...new Set(known)].sort()
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) return err({ reason: 'not-found', what: `log ${unknown}` })
  if (names.length > limits.maxExportLogs)
    return err({ reason: 'too-costly', of: 'logs', got: names.length, max: limits.maxExportLogs })
  const unnamed = names.find((name) => !registered.some(({ log }) => log === name))
  if (unnamed !== undefined)
    return err({ reason: 'store-unavailable', detail: `log ${unnamed} has not said yet who it is` })

  const request = {
    chains: (chains?.keys ?? []).map((key) => ({ kind: (chains as Chains).kind, key })),
    list: registered.map(listedLog),
  }
  const said = await Promise.all(
    names.map(async (log): Promise<Said> => {
      const answer = await auditLogs.attest(log, request)
      if (!answer.ok) return { attestation: null, isPublished: false }
      const isPublished = await auditLogs.published(log, answer.value.size, waitMs)
      return { attestation: answer.value, isPublished }
    }),
  )
  const checkpoints = await newestCheckpoints(ledger, names, said, meetsQuorum)
  return ok(
    names.map((name, i) => ({
      ...fixedLog(
        registered.find(({ log }) => log === name) as Row,
        said[i] as Said,
        checkpoints[i] ?? [],
        meetsQuorum,
      ),
      isAdded: asked.length > 0 && !asked.includes(name),
    })),
  )
}

/** Newest first. Witnesses get a checkpoint when it is public already: those that answer are given a moment. */
async function newestCheckpoints(
  ledger: Reader,
  names: readonly string[],
  said: readonly Said[],
  meetsQuorum: MeetsQuorum,
): Promise<readonly (readonly PublishedCheckpoint[])[]> {
  const statements = names.map((log) => checkpointsStatement(log, limits.maxCheckpointsTried))
  for (let waitedMs = 0; ; waitedMs += limits.witnessPollMs) {
    const read = await ledger.read(statements, limits.exportPageDeadlineMs)
    const checkpoints = read.map((rows) => rows.map(publishedCheckpoint))
    const isWitnessed = said.every(({ attestation, isPublished }, i) => {
      const size = Number(attestation?.size ?? 0)
      if (!isPublished || size === 0) return true
      return checkpoints[i]?.some((each) => each.size >= size && meetsQuorum(each.note))
    })
    if (isWitnessed || waitedMs >= limits.witnessWaitMs) return checkpoints
    await new Promise((resolve) => setTimeout(resolve, limits.witnessPollMs))
  }
}

const listedLog = ({ log, vkey, mldsa44_vkey, predecessor, successor }: Row): ListedLog => ({
  log: String(log),
  vkey: String(vkey),
  mldsa44Vkey: mldsa44_vkey as string | null,
  predecessor: predecessor as string | null,
  isRetired: successor !== null,
})

/** @param published the newest checkpoints, newest first */
function fixedLog(
  { log, origin, vkey, mldsa44_vkey }: Row,
  { attestation, isPublished }: Said,
  published: readonly PublishedCheckpoint[],
  meetsQuorum: MeetsQuorum,
): Omit<FixedLog, 'isAdded'> {
  const newest = published[0]?.size ?? 0
  const isCurrent = attestation !== null && isPublished && newest >= Number(attestation.size)
  const size = isCurrent ? Number(attestation.size) : newest
  const covering = published.filter((checkpoint) => checkpoint.size >= size)
  return {
    log: String(log),
    origin: String(origin),
    keys: [String(vkey), String(mldsa44_vkey)],
    size,
    isCurrent,
    checkpoint: size === 0 ? null : newestBest(covering, meetsQuorum),
    heads: isCurrent ? attestation.heads : null,
    list: attestation?.list ?? null,
  }
}
