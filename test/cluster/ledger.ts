/** What the tests check of the audit log, written from the formats (DESIGN §6), not from the code under test. */
import { createHash, createHmac } from 'node:crypto'
import { hranaReader } from '../../src/store/hrana.ts'

export interface LedgerEntry {
  readonly index: number
  /** The stored text. */
  readonly text: string
  readonly access: {
    readonly requestId: string
    readonly phase: string
    readonly action: string
    readonly operation: string
    readonly patient: string | null
    readonly resources: readonly string[]
    readonly status: number
    readonly who: Readonly<Record<string, string | null>>
    readonly decision: { readonly outcome: string; readonly reason: string; readonly detail: string | null }
    readonly staleness: { readonly seconds: number; readonly degraded: boolean } | null
    readonly note: Readonly<Record<string, string>> | null
  }
  /** SHA-256(0x00 ‖ 0x01 ‖ HMAC-SHA-256(salt, entry)), recomputed. */
  readonly leafHash: Buffer
}

export interface ParsedReceipt {
  readonly log: string
  readonly first: number
  readonly count: number
  readonly hash: string
}

/** @throws on anything but `<log>/<first>[+<n−1>]:<base64url of 32 bytes>`. */
export function parseReceipt(header: string | null): ParsedReceipt {
  const match = header?.match(
    /^([a-z0-9][a-z0-9-]{0,62})\/(0|[1-9]\d*)(?:\+([1-9]\d*))?:([A-Za-z0-9_-]{43})$/,
  )
  if (!match) throw new Error(`not a receipt: ${header}`)
  return {
    log: match[1] as string,
    first: Number(match[2]),
    count: Number(match[3] ?? 0) + 1,
    hash: match[4] as string,
  }
}

/** RFC 6962 §2.1 over leaf hashes. */
export function treeHash(leafHashes: readonly Buffer[]): Buffer {
  const [only] = leafHashes
  if (!only) throw new Error('no leaves')
  if (leafHashes.length === 1) return only
  let split = 1
  while (split * 2 < leafHashes.length) split *= 2
  return createHash('sha256')
    .update(Buffer.from([1]))
    .update(treeHash(leafHashes.slice(0, split)))
    .update(treeHash(leafHashes.slice(split)))
    .digest()
}

/** All entries of a log that have been drained, by index. Rejects when leaf and body disagree. */
export async function readLedger(
  audit: { readonly url: string; readonly readToken: string },
  log: string,
): Promise<readonly LedgerEntry[]> {
  const reader = hranaReader({ url: audit.url, token: audit.readToken })
  const entries: LedgerEntry[] = []
  for (;;) {
    const [rows = []] = await reader.read([
      {
        sql: `select b.idx, b.salt, b.entry, l.leaf from ledger_body b join ledger_leaf l on l.log = b.log and l.idx = b.idx
          where b.log = ? and b.idx >= ? order by b.idx limit 1000`,
        args: [log, entries.length],
      },
    ])
    if (rows.length === 0) return entries
    for (const { idx, salt, entry, leaf } of rows) {
      if (idx !== entries.length) throw new Error(`log ${log}: index ${entries.length} is missing`)
      const text = entry as string
      const commitment = createHmac('sha256', Buffer.from(salt as ArrayBuffer))
        .update(text)
        .digest()
      const recomputed = Buffer.concat([Buffer.from([1]), commitment])
      if (!recomputed.equals(Buffer.from(leaf as ArrayBuffer)))
        throw new Error(`log ${log}: leaf ${idx} is not of its entry`)
      const parsed = JSON.parse(text) as { index: string; access: LedgerEntry['access'] }
      if (parsed.index !== String(idx)) throw new Error(`log ${log}: entry ${idx} says it is ${parsed.index}`)
      entries.push({
        index: entries.length,
        text,
        access: parsed.access,
        leafHash: createHash('sha256')
          .update(Buffer.from([0]))
          .update(recomputed)
          .digest(),
      })
    }
  }
}

/** The entries a receipt names. @throws when they are not there, or are not those the receipt commits to. */
export function entriesOf(receipt: ParsedReceipt, entries: readonly LedgerEntry[]): readonly LedgerEntry[] {
  const named = entries.slice(receipt.first, receipt.first + receipt.count)
  if (named.length !== receipt.count)
    throw new Error(`log ${receipt.log} ends before ${receipt.first}+${receipt.count}`)
  const hash = treeHash(named.map(({ leafHash }) => leafHash)).toString('base64url')
  if (hash !== receipt.hash)
    throw new Error(
      `receipt ${receipt.log}/${receipt.first} commits to ${receipt.hash}, the ledger to ${hash}`,
    )
  return named
}

/** Waits until the ledger holds the entries of all receipts, then returns the logs they name. */
export async function ledgerOf(
  audit: { readonly url: string; readonly readToken: string },
  receipts: readonly ParsedReceipt[],
  deadlineMs = 30_000,
): Promise<ReadonlyMap<string, readonly LedgerEntry[]>> {
  const until = Date.now() + deadlineMs
  const logs = new Map<string, readonly LedgerEntry[]>()
  for (const log of new Set(receipts.map((receipt) => receipt.log))) {
    const size = Math.max(
      ...receipts.filter((receipt) => receipt.log === log).map(({ first, count }) => first + count),
    )
    for (;;) {
      const entries = await readLedger(audit, log)
      if (entries.length >= size) {
        logs.set(log, entries)
        break
      }
      if (Date.now() > until)
        throw new Error(`log ${log}: ${entries.length} of ${size} entries drained after ${deadlineMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  return logs
}
