/** Rows of the ledger as the entries of an export. */
import { limits } from '../limits.ts'
import type { Reader, Row, Rows, Statement } from '../store/ports.ts'
import { bytes } from '../store/rows.ts'
import type { OpenEntry, PrunedEntry, RedactedEntry } from './export-format.ts'

export async function readPage(ledger: Reader, statement: Statement): Promise<Rows> {
  const [rows = []] = await ledger.read([statement], limits.exportPageDeadlineMs)
  return rows
}

export const openEntry = ({ idx, entry, leaf, salt, patient }: Row): OpenEntry => ({
  kind: 'open',
  index: Number(idx),
  entry: entry as string,
  leaf: bytes(leaf),
  salt: bytes(salt),
  patient: patient as string | null,
})

/** @param chain key of its chain; null: it is not to be told */
export const redactedEntry = ({ idx, leaf, redacted }: Row, chain: string | null = null): RedactedEntry => ({
  kind: 'redacted',
  index: Number(idx),
  leaf: bytes(leaf),
  redacted: Number(redacted),
  chain,
})

/** Null: neither open nor redacted nor pruned, which nobody is told as anything else; whoever verifies the file finds the gap. */
export function entryOf(row: Row): OpenEntry | RedactedEntry | PrunedEntry | null {
  if (row.entry !== null) return openEntry(row)
  if (row.redacted !== null) return redactedEntry(row)
  const { idx, leaf, pruned } = row
  return typeof pruned === 'string' ? { kind: 'pruned', index: Number(idx), leaf: bytes(leaf), pruned } : null
}
