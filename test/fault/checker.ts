/**
 * What must be true when it is all over, looked up in the rows and recomputed from the formats (`docs/audit-log.md`): it
 * shares no code with the log.
 */
import { createHash, createHmac, type KeyObject, verify } from 'node:crypto'
import type { LogRow } from '../../src/audit/log-store.ts'
import type { History, Told } from './workload.ts'
import type { Released } from './world.ts'

type Query = (sql: string, ...params: readonly (string | number)[]) => readonly LogRow[]

export interface Evidence {
  readonly log: string
  readonly origin: string
  readonly publicKey: KeyObject
  readonly ledger: Query
  readonly storage: Query
  readonly released: readonly Released[]
  readonly history: History
  readonly known: Known
  readonly accusations: readonly string[]
  /** Size that the witness cosigned last. */
  readonly cosignedSize: number
  /** Of the checkpoint in *records*. */
  readonly anchoredSize: number
}

interface Place {
  readonly count: string
  readonly previous: string | null
}

interface Entry {
  readonly text: string
  readonly leaf: Buffer
  readonly index: string
  readonly log: string
  readonly time: string
  readonly v: number
  readonly access: {
    readonly requestId: string
    readonly phase: string
    readonly patient: string | null
    readonly who: { readonly organisation: string | null }
  }
  readonly chains: { readonly organisation: Place | null; readonly patient: Place | null }
}

/** Of the first `size` entries, which many runs have in common. */
export interface Known {
  readonly size: number
  readonly entries: Map<string, Entry>
  readonly hashes: Map<number, Buffer>
}

export const newKnown = (size: number): Known => ({ size, entries: new Map(), hashes: new Map() })

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** RFC 6962 §2.1, by its own words; remembers what it computed. */
export class NaiveTree {
  readonly leaves: readonly Buffer[]
  readonly #hashes = new Map<number, Buffer>()
  readonly #known: Known

  constructor(leaves: readonly Buffer[], known: Known) {
    this.leaves = leaves
    this.#known = known
  }

  hash(from: number, end: number): Buffer {
    const n = end - from
    if (n === 0) return sha256()
    const key = from * 65_536 + end
    const hashes = end <= this.#known.size ? this.#known.hashes : this.#hashes
    const known = hashes.get(key)
    if (known) return known
    let k = 1
    while (k * 2 < n) k *= 2
    const hash =
      n === 1
        ? sha256(Buffer.of(0), this.leaves[from] as Buffer)
        : sha256(Buffer.of(1), this.hash(from, from + k), this.hash(from + k, end))
    hashes.set(key, hash)
    return hash
  }
}

/** What is wrong with the ledger and all that was let out. `isLost` of a reply: by the schedule, its entries may be gone. */
export function check(evidence: Evidence, isLost: (told: Told['replies'][number]) => boolean): string[] {
  const wrong: string[] = [...evidence.accusations]
  const entries = readEntries(evidence, wrong)
  const tree = new NaiveTree(
    entries.map(({ leaf }) => leaf),
    evidence.known,
  )
  checkTimes(entries, wrong)
  checkChains(entries, wrong)
  checkAppends(evidence.history, isLost, entries, tree, wrong)
  checkNotes(evidence, entries, tree, wrong)
  checkTiles(evidence, tree, wrong)
  return wrong
}

function readEntries({ ledger, log, known }: Evidence, wrong: string[]): Entry[] {
  const rows = ledger(
    'select l.idx as idx, leaf, salt, entry from ledger_leaf as l left join ledger_body as b using (log, idx) where log = ? order by idx',
    log,
  )
  return rows.map(({ idx, leaf, salt, entry }, i) => {
    const text = String(entry)
    const same = known.entries.get(text)
    if (i < known.size && same?.leaf.equals(leaf as Uint8Array)) return same
    const commitment = createHmac('sha256', salt as Uint8Array)
      .update(text, 'utf8')
      .digest()
    const expected = Buffer.concat([Buffer.of(1), commitment])
    if (!expected.equals(leaf as Uint8Array)) wrong.push(`the leaf of entry ${idx} is not of its text`)
    const parsed = JSON.parse(text) as Entry
    if (idx !== i || parsed.index !== String(i)) wrong.push(`entry ${i} is not at its index`)
    if (parsed.log !== log || parsed.v !== 1) wrong.push(`entry ${i} is of another log`)
    const read = { ...parsed, text, leaf: expected }
    if (i < known.size) known.entries.set(text, read)
    return read
  })
}

function checkTimes(entries: readonly Entry[], wrong: string[]): void {
  for (const [i, { time }] of entries.entries())
    if (i > 0 && time < (entries[i - 1] as Entry).time)
      wrong.push(`the time of entry ${i} is before that of ${i - 1}`)
}

/** Of every patient and every organisation: 1..n, each naming the one before. */
function checkChains(entries: readonly Entry[], wrong: string[]): void {
  const heads = new Map<string, { count: number; last: number }>()
  for (const [i, { access, chains }] of entries.entries()) {
    for (const [kind, key] of [
      ['patient', access.patient],
      ['organisation', access.who.organisation],
    ] as const) {
      const place = chains[kind]
      const head = heads.get(`${kind} ${key}`) ?? { count: 0, last: -1 }
      const expected =
        key === null
          ? null
          : { count: String(head.count + 1), previous: head.last < 0 ? null : String(head.last) }
      if (place?.count !== expected?.count || place?.previous !== expected?.previous)
        wrong.push(`entry ${i} is not at its place in the chain of ${kind} ${key}`)
      heads.set(`${kind} ${key}`, { count: head.count + 1, last: i })
    }
  }
}

function checkAppends(
  { appends }: History,
  isLost: (reply: Told['replies'][number]) => boolean,
  entries: readonly Entry[],
  tree: NaiveTree,
  wrong: string[],
): void {
  const asked = new Map<string, Told[]>()
  for (const told of appends) {
    const key = `${told.request.requestId}/${told.request.phase}`
    asked.set(key, [...(asked.get(key) ?? []), told])
  }
  for (const [key, tolds] of asked) {
    const { request } = tolds[0] as Told
    const stored = entries.filter(({ access }) => `${access.requestId}/${access.phase}` === key).length
    const replies = tolds.flatMap((told) => told.replies).filter((reply) => !isLost(reply))
    if (stored !== 0 && stored !== request.entries.length)
      wrong.push(`append ${key} is stored ${stored} times over`)
    if (new Set(replies.map(({ reply }) => JSON.stringify(reply))).size > 1)
      wrong.push(`append ${key} has two receipts`)
    for (const { reply } of replies) {
      const first = Number(reply.first)
      const named = entries.slice(first, first + reply.count)
      const texts = named.map(({ text }) => text)
      const isThere =
        texts.length === request.entries.length &&
        texts.every((text, i) => text.startsWith(`{"access":${request.entries[i]?.access},"chains":`)) &&
        tree.hash(first, first + reply.count).toString('base64url') === reply.hash &&
        named[0]?.time === reply.time
      if (!isThere) wrong.push(`append ${key} was acknowledged at ${first} and is not there`)
    }
  }
  const keys = appends
    .filter(({ request }) => request.once.length > 0)
    .map(({ request }) => request.requestId)
  const used = new Set(entries.map(({ access }) => access.requestId).filter((id) => keys.includes(id)))
  if (used.size > 1) wrong.push(`the key that may be used once was used by ${[...used].join(' and ')}`)
}

/** One tree under everything that was let out, and of each size one note. */
function checkNotes(
  { released, origin, publicKey }: Evidence,
  entries: readonly Entry[],
  tree: NaiveTree,
  wrong: string[],
): void {
  const notes = new Map<string, string>()
  const seen = new Set<string>()
  for (const { port, note, leavesThere } of new Map(
    released.map((each) => [each.port + each.note, each]),
  ).values()) {
    const [text, lines] = [
      note.slice(0, note.lastIndexOf('\n\n') + 1),
      note.slice(note.lastIndexOf('\n\n') + 2),
    ]
    const [signature = ''] = lines.split('\n')
    const bytes = Buffer.from(signature.split(' ')[2] ?? '', 'base64').subarray(4)
    if (!seen.has(note) && !verify(null, Buffer.from(text), publicKey, bytes))
      wrong.push(`a note at ${port} is not signed`)
    seen.add(note)
    const fields = text.split('\n')
    if (port === 'attestation') {
      if (fields[0] === 'dossier-head/v1') checkHead(fields, entries, wrong)
      continue
    }
    const [name, size, root] = fields as [string, string, string]
    const n = Number(size)
    if (name !== origin) wrong.push(`a checkpoint bears the origin ${name}`)
    if (leavesThere < n)
      wrong.push(`a checkpoint of ${n} left for ${port} while the audit database held ${leavesThere}`)
    if (n > entries.length || tree.hash(0, n).toString('base64') !== root)
      wrong.push(`a checkpoint of ${n} left for ${port} that is not of this tree of ${entries.length}`)
    if ((notes.get(size) ?? note) !== note) wrong.push(`two checkpoints of size ${size} were let out`)
    notes.set(size, note)
  }
}

function checkHead(fields: readonly string[], entries: readonly Entry[], wrong: string[]): void {
  const [size, kind, key, count, last] = fields.slice(2).map((line) => line.split(' ').at(-1)) as [
    string,
    string,
    string,
    string,
    string,
  ]
  const keyOf = ({ access }: Entry): string | null =>
    kind === 'patient' ? access.patient : access.who.organisation
  const chain = entries.slice(0, Number(size)).filter((entry) => keyOf(entry) === key)
  if (
    Number(size) > entries.length ||
    String(chain.length) !== count ||
    (chain.at(-1)?.index ?? '-') !== last
  )
    wrong.push(`the head of ${kind} ${key} as of ${size} was signed as ${count} entries up to ${last}`)
}

/** Every tile that is there holds the hashes of the tree, none beyond the newest checkpoint. */
function checkTiles({ ledger, log }: Evidence, tree: NaiveTree, wrong: string[]): void {
  for (const { level, idx, hashes } of ledger('select level, idx, hashes from tile where log = ?', log)) {
    const span = 256 ** Number(level)
    const expected: Buffer[] = []
    for (let i = 0; i < 256; i++) {
      const from = (Number(idx) * 256 + i) * span
      if (from + span <= tree.leaves.length) expected.push(tree.hash(from, from + span))
    }
    const bytes = Buffer.from(hashes as Uint8Array)
    if (
      !bytes.equals(Buffer.concat(expected).subarray(0, bytes.length)) ||
      bytes.length > expected.length * 32
    )
      wrong.push(`tile ${level}/${idx} is not of this tree`)
  }
}

/** What is left to do; nothing: everything is anchored, drained, public and cosigned. */
export function unfinished({
  ledger,
  storage,
  log,
  cosignedSize,
  anchoredSize,
  history,
}: Evidence): string[] {
  const of = (rows: readonly LogRow[]): number => Number(rows[0]?.n ?? 0)
  const size = of(storage('select size as n from log_state'))
  const facts: Record<string, number> = {
    'entries in the audit database': of(ledger('select count(*) as n from ledger_body where log = ?', log)),
    'newest checkpoint': of(ledger('select max(size) as n from checkpoint where log = ?', log)),
    'leaf hashes in tiles': of(
      ledger('select sum(length(hashes)) / 32 as n from tile where log = ? and level = 0', log),
    ),
    'newest cosigned checkpoint': of(ledger('select max(size) as n from cosignature where log = ?', log)),
    'size the witness knows': cosignedSize,
    'size that records knows': anchoredSize,
  }
  const left = Object.entries(facts).flatMap(([what, n]) => (n === size ? [] : [`${what}: ${n} of ${size}`]))
  for (const { request, isPatient, replies, refusal } of history.appends)
    if (isPatient && replies.length === 0 && refusal !== 'replayed')
      left.push(`append ${request.requestId} has no answer`)
  const kept = of(storage('select count(*) as n from undrained'))
  return kept === 0 ? left : [...left, `${kept} entries still in the log's own storage`]
}
