/** Ends the intents whose outcome never came: a killed Worker, a lost answer, a log that was away. */
import { type AccessBase, buildEntries } from '../audit/entry.ts'
import type { Access, AuditLogs, OpenIntent } from '../audit/port.ts'
import type { Writer } from '../store/ports.ts'

/**
 * For each intent that has been open for `limits.settleAfterMs`: whether the primary has its key decides the outcome. "Not
 * committed" is told only after the key is aborted, durably, so that a write still on its way cannot make it untrue; and
 * of a write that has committed both the settled outcome and its own say so. Safe to repeat: the outcome is unique by its
 * request id. Resolves to the number settled.
 */
export async function settleIntents(log: string, logs: AuditLogs, primary: Writer): Promise<number> {
  const open = await logs.openIntents(log)
  if (!open.ok) return 0
  let settled = 0
  for (const intent of open.value) {
    const persons = (await primary.abort(intent.requestId))
      ? null
      : await personsOf(primary, intent.requestId)
    const appended = await logs.append(log, {
      requestId: intent.requestId,
      phase: 'outcome',
      sequence: 0,
      entries: outcomeEntries(intent, persons),
      once: [],
    })
    if (appended.ok) settled++
  }
  return settled
}

/** Persons whom a committed write is about. */
async function personsOf(primary: Writer, key: string): Promise<readonly string[]> {
  const [rows] = await primary.read([{ sql: 'select persons from write_key where key = ?', args: [key] }])
  return JSON.parse(rows?.[0]?.persons as string)
}

/** `persons` null: the write never committed, and never will. */
function outcomeEntries({ access, organisation }: OpenIntent, persons: readonly string[] | null) {
  const {
    patient: _patient,
    resources: _resources,
    part: _part,
    parts: _parts,
    ...intent
  } = JSON.parse(access) as Access
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
