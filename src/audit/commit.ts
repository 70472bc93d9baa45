/** One commit of a log as one synchronous function: nothing can come between its first read and its last write. */
import { err, ok, type Result } from '../result.ts'
import {
  appendKey,
  forgetAppends,
  noteIntent,
  type RememberedAppend,
  recallAppends,
  rememberAppends,
  useOnceKeys,
} from './append-memory.ts'
import { base64url } from './base64url.ts'
import {
  digestOf,
  entryText,
  leafOf,
  type RandomBytes,
  randomBytesOf,
  saltBytes,
  sha256,
} from './commitment.ts'
import {
  type ChainHead,
  insertEntries,
  type LogState,
  loadState,
  readChainHeads,
  type StoredEntry,
  saveState,
  writeChainHeads,
} from './log-state.ts'
import type { LogSql } from './log-store.ts'
import type { AppendRefusal, AppendReply, AppendRequest, EntryDraft, Retired } from './port.ts'
import { leafHash, sameBytes } from './tlog/hash.ts'
import { appendLeaves, treeHash } from './tlog/tree.ts'

export type AppendAnswer = Result<AppendReply, AppendRefusal | Retired>

export interface Committed {
  /** In the order of the requests. */
  readonly answers: readonly AppendAnswer[]
  readonly state: LogState
}

/**
 * Appends all requests, each whole or refused, and notes what the audit database has (`drained`). The time of the log is `now`, or its
 * last time where the clock went back.
 */
export function applyCommit(
  sql: LogSql,
  log: string,
  requests: readonly AppendRequest[],
  drained: number,
  now: number,
  random: RandomBytes = randomBytesOf,
): Committed {
  const before = loadState(sql, log)
  const time = Math.max(now, before.time)
  const draft = new CommitDraft(sql, before, time, requests, random)
  const answers = requests.map((request) => appendOne(sql, draft, request))
  insertEntries(sql, draft.entries)
  rememberAppends(sql, draft.appended, time)
  writeChainHeads(sql, draft.heads)
  const state: LogState = {
    log,
    frontier: appendLeaves(sha256, before.frontier, draft.leafHashes),
    drained: Math.max(drained, before.drained),
    time,
  }
  forgetAppends(sql, requests, time)
  saveState(sql, state)
  return { answers, state }
}

function appendOne(sql: LogSql, draft: CommitDraft, request: AppendRequest): AppendAnswer {
  const digest = digestOf(request.entries)
  const key = appendKey(request)
  const remembered = draft.appended.get(key) ?? draft.remembered.get(key)
  if (remembered) {
    if (sameBytes(remembered.digest, digest)) return ok(remembered.reply)
    return err({ reason: 'log-unavailable', detail: 'this request id was used for another append' })
  }
  const replayed = useOnceKeys(sql, request.once, draft.time)
  if (replayed !== null) return err({ reason: 'replayed', key: replayed })
  const reply = draft.append(request.entries)
  draft.appended.set(key, { reply, digest })
  noteIntent(sql, request, draft.time)
  return ok(reply)
}

/** The entries of one commit while it is made. */
class CommitDraft {
  readonly log: string
  readonly time: number
  readonly entries: StoredEntry[] = []
  readonly leafHashes: Uint8Array[] = []
  /** Appends of these requests made before, and in this commit so far, by `appendKey`. */
  readonly remembered: ReadonlyMap<string, RememberedAppend>
  readonly appended = new Map<string, RememberedAppend>()
  /** Heads of all chains this commit adds to, as they are after the entries so far. */
  readonly heads: Map<string, ChainHead>
  readonly #first: number
  readonly #timeText: string
  readonly #salts: Uint8Array

  constructor(
    sql: LogSql,
    state: LogState,
    time: number,
    requests: readonly AppendRequest[],
    random: RandomBytes,
  ) {
    this.log = state.log
    this.time = time
    this.#first = Number(state.frontier.size)
    this.#timeText = new Date(time).toISOString()
    this.remembered = recallAppends(sql, this.log, requests)
    const drafts = requests.flatMap(({ entries }) => entries)
    this.#salts = random(drafts.length * saltBytes)
    this.heads = readChainHeads(sql, [...new Set(drafts.flatMap(chainsOf))])
  }

  append(drafts: readonly EntryDraft[]): AppendReply {
    const first = this.#first + this.entries.length
    for (const draft of drafts) this.#appendEntry(draft)
    const hash = treeHash(sha256, this.leafHashes.slice(first - this.#first))
    return {
      log: this.log,
      first: String(first),
      count: drafts.length,
      hash: base64url(hash),
      time: this.#timeText,
    }
  }

  #appendEntry(draft: EntryDraft): void {
    const position = this.entries.length
    const index = this.#first + position
    const { log, heads } = this
    const headOf = (kind: 'o' | 'p', key: string | null): ChainHead | undefined | null =>
      key === null ? null : heads.get(kind + key)
    const entry = entryText(draft.access, {
      log,
      index,
      time: this.#timeText,
      organisation: headOf('o', draft.organisation),
      patient: headOf('p', draft.patient),
    })
    const salt = this.#salts.slice(position * saltBytes, (position + 1) * saltBytes)
    const leaf = leafOf(salt, entry)
    this.entries.push({ index, leaf, salt, entry })
    this.leafHashes.push(leafHash(sha256, leaf))
    for (const name of chainsOf(draft))
      heads.set(name, { previous: index, count: (heads.get(name)?.count ?? 0) + 1 })
  }
}

/** Names of the chains an entry belongs to, as `readChainHeads` takes them. */
function chainsOf({ organisation, patient }: EntryDraft): string[] {
  const names: string[] = []
  if (organisation !== null) names.push(`o${organisation}`)
  if (patient !== null) names.push(`p${patient}`)
  return names
}
