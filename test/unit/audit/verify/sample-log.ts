/** A synthetic log: entries as the sequencer commits to them, with right chains and times, and what the log signs. */
import { entryText, leafOf, sha256 } from '../../../../src/audit/commitment.ts'
import { buildEntries } from '../../../../src/audit/entry.ts'
import type { Access } from '../../../../src/audit/port.ts'
import { formatCheckpoint } from '../../../../src/audit/tlog/checkpoint.ts'
import { edgeRoot } from '../../../../src/audit/tlog/fold.ts'
import { leafHash } from '../../../../src/audit/tlog/hash.ts'
import {
  completeSubtrees,
  proveConsistency,
  proveInclusion,
  type Subtree,
} from '../../../../src/audit/tlog/proof.ts'
import { treeHash } from '../../../../src/audit/tlog/tree.ts'
import { base } from '../access.ts'
import { bytesOf, ed25519Key, mlDsa44Key, type SampleKey, signNote } from './sample-keys.ts'

export const samplePrefix = 'record.example'

export interface SampleEntry {
  /** Canonical text, as the leaf commits to it. */
  readonly text: string
  readonly salt: Uint8Array
  readonly leaf: Uint8Array
  /** Index of its redaction entry; null: open. */
  redacted: number | null
  /** Log and index of its pruning entry; null: it has not gone by one. */
  pruned: string | null
}

export type ChainKind = 'organisation' | 'patient'

/** What an entry is about. */
export interface SampleAccess {
  readonly patient?: string | null
  readonly organisation?: string | null
  /** Of the patient; absent: one. */
  readonly resources?: readonly string[]
  readonly more?: Partial<Access>
}

interface Place {
  readonly count: number
  readonly previous: number
}

export class SampleLog {
  readonly name: string
  readonly origin: string
  /** Ed25519, then ML-DSA-44. */
  readonly keys: readonly [SampleKey, SampleKey]
  /** Those who cosign its checkpoints. */
  readonly witnesses: readonly SampleKey[]
  readonly entries: SampleEntry[] = []
  readonly #heads = { organisation: new Map<string, Place>(), patient: new Map<string, Place>() }
  readonly #subtrees = new Map<string, Uint8Array>()
  #timeMs = Date.UTC(2026, 10, 22, 9)

  constructor(name: string, witnesses: readonly SampleKey[] = []) {
    this.name = name
    this.origin = `${samplePrefix}/audit/logs/${name}`
    this.keys = [ed25519Key(this.origin), mlDsa44Key(this.origin)]
    this.witnesses = witnesses
  }

  get size(): number {
    return this.entries.length
  }

  /** Appends an access and returns its index. Now and then two entries have the same time. */
  append({ patient = null, organisation = null, more = {}, resources: named }: SampleAccess = {}): number {
    const index = this.size
    if (index % 5 !== 4) this.#timeMs += 137
    const accessBase = {
      ...base,
      requestId: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      ...more,
      who: { ...base.who, organisation, ...more.who },
    }
    const resources = named ?? (patient === null ? [] : [`Observation/${this.name}-${index}/_history/1`])
    const built = buildEntries(accessBase, [{ patient, resources }], organisation)
    const [draft] = built.ok ? built.value : []
    if (draft === undefined) throw new Error('the sample access is too costly')
    const place = {
      log: this.name,
      index,
      time: new Date(this.#timeMs).toISOString(),
      organisation: this.#enter('organisation', organisation, index),
      patient: this.#enter('patient', patient, index),
    }
    return this.appendText(entryText(draft.access, place))
  }

  /** Commits to any text, also to one that no log would. */
  appendText(text: string): number {
    const salt = sha256(bytesOf(`salt ${this.name} ${this.size}`))
    this.entries.push({ text, salt, leaf: leafOf(salt, text), redacted: null, pruned: null })
    return this.size - 1
  }

  /** Appends the redaction entry of an entry and returns its index. */
  redact(index: number, more: SampleAccess = {}): number {
    const redacted = JSON.parse(this.entry(index).text) as {
      readonly chains: Readonly<Record<ChainKind, { count: string; previous: string | null } | null>>
    }
    const placeText = (kind: ChainKind): string => {
      const place = redacted.chains[kind]
      return place === null ? '-' : `${place.count}@${place.previous ?? '-'}`
    }
    const own = this.append({
      organisation: 'o1',
      ...more,
      more: {
        phase: 'intent',
        action: 'redaction',
        operation: 'redact',
        note: {
          redacts: String(index),
          'redacts-log': this.name,
          'redacts-organisation': placeText('organisation'),
          'redacts-patient': placeText('patient'),
        },
        ...more.more,
      },
    })
    this.entry(index).redacted = own
    return own
  }

  /**
   * Appends a pruning entry of the bodies below `to`, those of `keep` apart, and returns its index.
   * @param by the log that takes the entry; default: this one
   */
  prune(to: number, keep: readonly number[] = [], by: SampleLog = this, note: Access['note'] = {}): number {
    const { time } = JSON.parse(this.entry(to).text) as { readonly time: string }
    const own = by.append({
      organisation: 'o1',
      more: {
        phase: 'intent',
        action: 'redaction',
        operation: 'prune',
        note: { 'prunes-log': this.name, 'prunes-to': String(to), 'prunes-before': time, ...note },
      },
    })
    this.entries.slice(0, to).forEach((entry, index) => {
      const { access } = JSON.parse(entry.text) as { readonly access: Access }
      if (keep.includes(index) || access.action === 'redaction' || entry.redacted !== null) return
      entry.pruned ??= `${by.name}/${own}`
    })
    return own
  }

  entry(index: number): SampleEntry {
    const entry = this.entries[index]
    if (entry === undefined) throw new Error(`the sample log has no entry ${index}`)
    return entry
  }

  /** The place after the chain's newest entry, as `entryText` takes it. */
  #enter(kind: ChainKind, key: string | null, index: number): Place | null | undefined {
    if (key === null) return null
    const head = this.#heads[kind].get(key)
    this.#heads[kind].set(key, { count: (head?.count ?? 0) + 1, previous: index })
    return head
  }

  // --- the tree ---

  subtreeHash({ level, index }: Subtree): Uint8Array {
    const name = `${level} ${index}`
    const known = this.#subtrees.get(name)
    if (known !== undefined) return known
    const first = Number(index) * 2 ** level
    const leaves = this.entries.slice(first, first + 2 ** level).map(({ leaf }) => leafHash(sha256, leaf))
    const hash = treeHash(sha256, leaves)
    this.#subtrees.set(name, hash)
    return hash
  }

  subtreeHashes(from: number, to: number): Uint8Array[] {
    return completeSubtrees(BigInt(from), BigInt(to)).map((subtree) => this.subtreeHash(subtree))
  }

  readonly #read = async (subtrees: readonly Subtree[]) =>
    subtrees.map((subtree) => this.subtreeHash(subtree))

  inclusion(index: number, size = this.size): Promise<Uint8Array[]> {
    return proveInclusion(sha256, this.#read, BigInt(index), BigInt(size))
  }

  consistency(from: number, to = this.size): Promise<Uint8Array[]> {
    return proveConsistency(sha256, this.#read, BigInt(from), BigInt(to))
  }

  // --- what the log signs ---

  checkpointText(size = this.size, root?: Uint8Array): string {
    return formatCheckpoint({
      origin: this.origin,
      size: BigInt(size),
      root: root ?? edgeRoot(sha256, this.subtreeHashes(0, size)),
      extensions: [],
    })
  }

  checkpoint(size = this.size): string {
    return signNote(this.checkpointText(size), [...this.keys, ...this.witnesses])
  }

  /** The head statement of a chain, as of a size, unsigned. */
  headText(kind: ChainKind, key: string, size = this.size): string {
    const indices = this.chainIndices(kind, key, size)
    return [
      'dossier-head/v1',
      this.origin,
      `size ${size}`,
      `chain ${kind}`,
      `key ${Buffer.from(sha256(bytesOf(key))).toString('hex')}`,
      `count ${indices.length}`,
      `last ${indices.at(-1) ?? '-'}`,
      '',
    ].join('\n')
  }

  head(kind: ChainKind, key: string, size = this.size): string {
    return signNote(this.headText(kind, key, size), [this.keys[0]])
  }

  /** Of the entries below `size`, those of a chain. */
  chainIndices(kind: ChainKind, key: string, size = this.size): number[] {
    return this.entries.slice(0, size).flatMap(({ text }, index) => {
      const { access } = JSON.parse(text) as { readonly access: Access }
      return (kind === 'patient' ? access.patient : access.who.organisation) === key ? [index] : []
    })
  }

  /** The list of these logs, this one among them, unsigned. */
  listText(logs: readonly SampleLog[], size = this.size): string {
    const lines = [...logs]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, keys: [ed25519, mlDsa44] }) => `log ${name} ${ed25519.vkey} ${mlDsa44.vkey} - active`)
    return ['dossier-logs/v1', this.origin, `size ${size}`, ...lines, ''].join('\n')
  }

  list(logs: readonly SampleLog[], size = this.size): string {
    return signNote(this.listText(logs, size), [this.keys[0]])
  }
}
