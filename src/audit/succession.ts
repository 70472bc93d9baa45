/**
 * Ending a log and starting its successor (DESIGN §6): when its storage contradicts what others remember, when its keys
 * change, when it moves. Every step may be repeated; broken off, the command is given again and goes on.
 *
 * close (takes no entry any more) → found the successor, its entry 0 naming the last good checkpoint → salvage what only
 * the old log's storage holds → retire (callers go on to the successor).
 */
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { AppendAnswer } from './commit.ts'
import { type AccessBase, buildEntries } from './entry.ts'
import type { AppendRefusal, AppendRequest, EntryDraft, OpenIntent } from './port.ts'
import type { PublishedCheckpoint } from './public-store.ts'
import { encodeBase64 } from './tlog/base64.ts'
import { parseCheckpoint } from './tlog/checkpoint.ts'
import { parseNote } from './tlog/note.ts'

/** There is no such log yet: closed before it begins it could never take over from the one before. */
export interface NotBegun {
  readonly reason: 'not-begun'
}

/** A log that takes no entry any more. */
export interface Closing {
  /** The name it was closed for: that of the first attempt. */
  readonly successor: string
  readonly vkey: string
  /** What the successor has to settle. */
  readonly openIntents: readonly OpenIntent[]
}

/** An entry that only the closed log's own storage holds. */
export interface StrandedEntry {
  readonly index: number
  readonly time: string
  /** Leaf hash, base64url: with the receipt of a single entry it is the same. */
  readonly leafHash: string
  /** The app's part, as canonical text. */
  readonly access: string
}

export interface StrandedPage {
  readonly entries: readonly StrandedEntry[]
  /** Index to go on from; null: there are no more. */
  readonly next: number | null
}

export interface Founding {
  readonly predecessor: string
  /** Entry 0. */
  readonly append: AppendRequest
  readonly openIntents: readonly OpenIntent[]
}

/** What a succession asks of the two logs. */
export interface SuccessionRpc {
  close(log: string, successor: string): Promise<Result<Closing, AppendRefusal | NotBegun>>
  stranded(log: string, from: number): Promise<StrandedPage>
  found(log: string, founding: Founding): Promise<AppendAnswer>
  append(log: string, request: AppendRequest): Promise<AppendAnswer>
  retire(log: string): Promise<void>
}

export interface Succeeded {
  readonly successor: string
  /** Entries taken over from the old log's storage by this attempt. */
  readonly salvaged: number
}

export interface SuccessionOrder {
  readonly log: string
  readonly successor: string
  /** Who ordered it and why: what the entries of the succession say. */
  readonly base: AccessBase
  /** The newest good one, asked for once the log is closed; null: it never had any. */
  readonly lastCheckpoint: () => Promise<PublishedCheckpoint | null>
}

/** @throws whatever a log throws that does not answer: order it again. */
export async function succeedLog(
  rpc: SuccessionRpc,
  { log, successor: name, base, lastCheckpoint }: SuccessionOrder,
): Promise<Result<Succeeded, AppendRefusal | NotBegun>> {
  const closing = await rpc.close(log, name)
  if (!closing.ok) return closing
  const { successor, vkey, openIntents } = closing.value
  const told = toldOf(log, vkey, await lastCheckpoint())
  const founded = await rpc.found(successor, {
    predecessor: log,
    append: appendOf({ ...base, note: { ...base.note, ...told } }, [], `found/${log}`),
    openIntents,
  })
  if (!isDone(founded)) return err(refusalOf(founded))
  let salvaged = 0
  for (let from: number | null = 0; from !== null; ) {
    const page: StrandedPage = await rpc.stranded(log, from)
    const [first] = page.entries
    if (first) {
      const note = Object.fromEntries(
        page.entries.map(({ index, leafHash, time }) => [`entry:${index}`, `${leafHash} ${time}`]),
      )
      const drafts = page.entries.map(({ access }) => draftOf(access))
      const listing = { ...base, operation: 'salvage', note: { predecessor: log, ...note } }
      const appended = await rpc.append(successor, appendOf(listing, drafts, `salvage/${log}/${first.index}`))
      if (!isDone(appended)) return err(refusalOf(appended))
      if (appended.ok) salvaged += page.entries.length
    }
    from = page.next
  }
  await rpc.retire(log)
  return ok({ successor, salvaged })
}

/** What entry 0 commits to. */
function toldOf(log: string, vkey: string, checkpoint: PublishedCheckpoint | null): Record<string, string> {
  if (!checkpoint) return { predecessor: log, 'predecessor-key': vkey, 'checkpoint-size': '0' }
  const { size, root } = parseCheckpoint(parseNote(checkpoint.note).text)
  return {
    predecessor: log,
    'predecessor-key': vkey,
    'checkpoint-size': String(size),
    'checkpoint-root': encodeBase64(root),
  }
}

/** An earlier attempt may have appended it: then its once key says so. */
const isDone = (answer: AppendAnswer): boolean => answer.ok || answer.error.reason === 'replayed'

const refusalOf = (answer: AppendAnswer): AppendRefusal =>
  answer.ok || answer.error.reason === 'retired'
    ? { reason: 'log-unavailable', detail: 'the successor has ended' }
    : answer.error

/** One entry about the succession, then the salvaged ones, unchanged. */
function appendOf(base: AccessBase, salvaged: readonly EntryDraft[], once: string): AppendRequest {
  const requestId = crypto.randomUUID()
  const own = buildEntries({ ...base, requestId, phase: 'access' }, [], null)
  if (!own.ok) throw new Error('a succession names no patient')
  return {
    requestId,
    phase: 'access',
    sequence: 0,
    entries: [...own.value, ...salvaged],
    once: [{ key: once, untilMs: limits.foreverMs }],
  }
}

/** The chains of an entry are those of the person and the organisation that it names. */
function draftOf(access: string): EntryDraft {
  const { patient, who } = JSON.parse(access) as {
    patient: string | null
    who: { organisation: string | null }
  }
  return { access, patient, organisation: who.organisation }
}
