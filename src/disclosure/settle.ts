/** Ends the intents whose outcome never came: a killed Worker, a lost answer, a log that was away. */
import { type AccessBase, buildEntries } from '../audit/entry.ts'
import type { Access, AuditLogs, OpenIntent } from '../audit/port.ts'
import { type Held, orderOf, type PruneOrder } from '../audit/pruning.ts'
import type { Redactions } from '../audit/redactions.ts'
import { StoreError, type Writer } from '../store/ports.ts'

/** Where what was intended would have been done. */
export interface IntendedAt {
  /** *records*. */
  readonly primary: Writer
  readonly redactions: Redactions
  /** Whose entries no pruning lets go. */
  readonly held: () => Promise<Held>
}

/** What became of an intent: persons whom a committed write is about; null: it never was, and never will be. */
type Settled = { readonly persons: readonly string[] | null }

/**
 * For each intent that has been open for `limits.settleAfterMs`, tells the log what became of it. Safe to repeat: the
 * outcome is unique by its request id. Resolves to the number settled.
 */
export async function settleIntents(log: string, logs: AuditLogs, at: IntendedAt): Promise<number> {
  const [current, open] = [await logs.current(log), await logs.openIntents(log)]
  if (!current.ok || !open.ok) return 0
  let settled = 0
  for (const intent of open.value) {
    const access = JSON.parse(intent.access) as Access
    const found = await settle(current.value, intent, access, at)
    if (!found) continue
    const appended = await logs.append(log, {
      requestId: intent.requestId,
      phase: 'outcome',
      sequence: 0,
      entries: outcomeEntries(access, intent.organisation, found),
      once: [],
    })
    if (appended.ok) settled++
  }
  return settled
}

/** Null: nobody can say yet. @param log the one that takes the outcome */
function settle(log: string, intent: OpenIntent, access: Access, at: IntendedAt): Promise<Settled | null> {
  if (access.action !== 'redaction') return settleWrite(intent, at.primary)
  const order = orderOf(access.note)
  return order === null ? settleRedaction(log, access, at.redactions) : settlePruning(order, at)
}

/**
 * Whether the primary has the key of a write decides. "Not committed" is told only after the key is aborted, durably, so
 * that a write still on its way cannot make it untrue; and of a write that has committed both the settled outcome and its
 * own say so.
 */
async function settleWrite({ requestId }: OpenIntent, primary: Writer): Promise<Settled> {
  if (await primary.abort(requestId)) return { persons: null }
  const [rows] = await primary.read([
    { sql: 'select persons from write_key where key = ?', args: [requestId] },
  ])
  return { persons: JSON.parse(rows?.[0]?.persons as string) }
}

/**
 * The intent is the redaction entry itself and cannot be taken back: it is carried out. Null: not now, the audit database
 * does not answer or has not drained the entry. One that is only in the successor of its log redacts nothing.
 */
async function settleRedaction(
  log: string,
  { note }: Access,
  redactions: Redactions,
): Promise<Settled | null> {
  const of = note?.['redacts-log'] ?? log
  try {
    const redaction = await redactions.remove(of, Number(note?.redacts))
    if (redaction !== null) return { persons: [] }
    return of === log ? null : { persons: null }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return error.code === 'constraint' ? { persons: null } : null
  }
}

/** As a redaction it cannot be taken back. Null: not now, or not all of it yet. */
async function settlePruning(order: PruneOrder, { redactions, held }: IntendedAt): Promise<Settled | null> {
  try {
    return (await redactions.prune(order, held)) === 'done' ? { persons: [] } : null
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return null
  }
}

function outcomeEntries(access: Access, organisation: string | null, { persons }: Settled) {
  const { patient: _patient, resources: _resources, part: _part, parts: _parts, ...intent } = access
  const base: AccessBase = {
    ...intent,
    phase: 'outcome',
    decision: persons
      ? { outcome: 'permit', reason: 'settled-committed', detail: null }
      : { outcome: 'error', reason: 'settled-not-committed', detail: null },
  }
  const subjects = (persons ?? []).map((patient) => ({ patient, resources: [] }))
  const entries = buildEntries(base, subjects, organisation)
  if (!entries.ok) throw new Error(`an intent about too many patients: ${entries.error.detail}`)
  return entries.value
}
