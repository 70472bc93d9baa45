/** Checks receipts against an export of the audit log, with nothing but the two. */
import { leafOf, sha256 } from '../audit/commitment.ts'
import { receiptText } from '../audit/log-name.ts'
import { leafHash, sameBytes } from '../audit/tlog/hash.ts'
import { treeHash } from '../audit/tlog/tree.ts'

export interface ProvenEntry {
  readonly log: string
  readonly index: number
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string
  readonly action: string
  /** `permit`, `deny` or `error`, and why. */
  readonly outcome: string
  readonly reason: string
  readonly who: string | null
  readonly facility: string | null
}

export interface ExportedLog {
  readonly entries: number
  /**
   * The entries that a `Dossier-Receipt` header names: `<log>/<first index>[+<n−1>]:<hash>`.
   *
   * @throws Error when one is missing, or they are not those that the receipt commits to
   */
  prove(receipt: string): readonly ProvenEntry[]
}

const linePattern = /^\{"entry":(.+),"leaf":"([\w-]+)"(?:,"proof":\[[\w",-]*\])?,"salt":"([\w-]+)"\}$/
/** Lines that open nothing: what was redacted, and hashes of blocks. */
const closedPattern = /^\{"(?:index|block|count)":/

interface Line {
  readonly text: string
  readonly leaf: Uint8Array
  readonly salt: Uint8Array
}

/**
 * @param ndjson text of `GET /audit/export?format=ndjson` (`docs/audit-log.md` §4)
 * @throws Error when a line is not an entry with its salt and leaf
 */
export function readExport(ndjson: string): ExportedLog {
  const lines = new Map<string, Line>()
  for (const line of ndjson.split('\n').slice(1)) {
    if (line === '' || closedPattern.test(line)) continue
    const [, text = '', leaf = '', salt = ''] = linePattern.exec(line) ?? []
    if (text === '') throw new Error(`not an entry of an export: ${line.slice(0, 80)}`)
    const { log, index } = JSON.parse(text) as { log: string; index: string }
    lines.set(`${log}/${index}`, { text, leaf: bytesOf(leaf), salt: bytesOf(salt) })
  }
  return { entries: lines.size, prove: (receipt) => prove(lines, receipt) }
}

const bytesOf = (base64url: string): Uint8Array => Buffer.from(base64url, 'base64url')

function prove(lines: ReadonlyMap<string, Line>, receipt: string): readonly ProvenEntry[] {
  const [, log = '', first = '', more = '0', hash = ''] = receiptText.exec(receipt) ?? []
  if (hash === '') throw new Error(`not a receipt: ${receipt}`)
  const named = Array.from({ length: Number(more) + 1 }, (_, i) => {
    const line = lines.get(`${log}/${Number(first) + i}`)
    if (!line) throw new Error(`entry ${log}/${Number(first) + i} of receipt ${receipt} is not in the export`)
    return line
  })
  const leaves = named.map(({ text, leaf, salt }) => {
    const recomputed = leafOf(salt, text)
    if (!sameBytes(recomputed, leaf)) throw new Error(`an entry of ${receipt} is not that of its leaf`)
    return leafHash(sha256, recomputed)
  })
  const recomputed = Buffer.from(treeHash(sha256, leaves)).toString('base64url')
  if (recomputed !== hash) throw new Error(`${receipt} commits to another access than the one in the export`)
  return named.map(({ text }) => provenEntry(text))
}

function provenEntry(text: string): ProvenEntry {
  const { access, index, log, time } = JSON.parse(text) as {
    access: {
      action: string
      decision: { outcome: string; reason: string }
      who: { practitioner: string | null; client: string | null; facility: string | null }
    }
    index: string
    log: string
    time: string
  }
  const { action, decision, who } = access
  return {
    log,
    index: Number(index),
    time,
    action,
    outcome: decision.outcome,
    reason: decision.reason,
    who: who.practitioner ?? who.client,
    facility: who.facility,
  }
}
