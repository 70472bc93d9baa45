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
import { sha256 } from './commitment.ts'
import { type AccessBase, buildEntries } from './entry.ts'
import type { AppendRefusal, AppendRequest, EntryDraft, OpenIntent } from './port.ts'
import type { PublishedCheckpoint } from './public-store.ts'
import { signatureFunctions } from './signature-functions.ts'
import { encodeBase64 } from './tlog/base64.ts'
import { type Checkpoint, parseCheckpoint } from './tlog/checkpoint.ts'
import { FormatError } from './tlog/errors.ts'
import { parseNote, parseVerifierKey } from './tlog/note.ts'
import { openNote } from './tlog/signature.ts'

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
  /** The newest in the audit database, newest first, asked for once the log is closed. */
  readonly newestCheckpoints: () => Promise<readonly PublishedCheckpoint[]>
}

/** @throws whatever a log throws that does not answer: order it again. */
export async function succeedLog(
  rpc: SuccessionRpc,
  { log, successor: name, base, newestCheckpoints }: SuccessionOrder,
): Promise<Result<Succeeded, AppendRefusal | NotBegun>> {
  const closing = await rpc.close(log, name)
  if (!closing.ok) return closing
  const { successor, vkey, openIntents } = closing.value
  const told = toldOf(log, vkey, await newestCheckpoints())
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

/** What entry 0 commits to: the newest checkpoint that the log signed, whatever else is in its place. */
function toldOf(
  log: string,
  vkey: string,
  newestFirst: readonly PublishedCheckpoint[],
): Record<string, string> {
  const [good] = newestFirst.flatMap(({ note }) => signedBy(vkey, note) ?? [])
  if (!good) return { predecessor: log, 'predecessor-key': vkey, 'checkpoint-size': '0' }
  const { size, root } = good
  return {
    predecessor: log,
    'predecessor-key': vkey,
    'checkpoint-size': String(size),
    'checkpoint-root': encodeBase64(root),
  }
}

/** Null: it is no checkpoint of the log with this key. */
function signedBy(vkey: string, note: string): Checkpoint | null {
  try {
    const key = parseVerifierKey(sha256, vkey)
    const { text, verified } = openNote(signatureFunctions, parseNote(note), [key])
    const checkpoint = parseCheckpoint(text)
    return verified.length === 1 && checkpoint.origin === key.name ? checkpoint : null
  } catch (error) {
    if (error instanceof FormatError) return null
    throw error
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
