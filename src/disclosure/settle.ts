/** Ends the intents whose outcome never came: a killed Worker, a lost answer, a log that was away. */
import { type AccessBase, buildEntries } from '../audit/entry.ts'
import type { Access, AuditLogs, OpenIntent } from '../audit/port.ts'
import type { Reader } from '../store/ports.ts'

/**
 * For each intent that has been open for `limits.settleAfterMs`: whether the primary has its key decides the outcome.
 * Safe to repeat: the outcome is unique by its request id. Resolves to the number settled.
 */
export async function settleIntents(log: string, logs: AuditLogs, primary: Reader): Promise<number> {
  const open = await logs.openIntents(log)
  if (!open.ok) return 0
  let settled = 0
  for (const intent of open.value) {
    const [rows] = await primary.read([
      { sql: 'select persons from write_key where key = ?', args: [intent.requestId] },
    ])
    const persons = rows?.[0] ? (JSON.parse(rows[0].persons as string) as string[]) : null
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

/** `persons` null: the write never committed. */
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
