/** Entries of a log in which index 1 is to be redacted, and entries that do not allow it. */
import { randomBytes } from 'node:crypto'
import { entryText, leafOf } from '../../../src/audit/commitment.ts'
import { type AccessBase, buildEntries } from '../../../src/audit/entry.ts'
import type { ChainHead, StoredEntry } from '../../../src/audit/log-state.ts'
import { base } from './access.ts'

interface Heads {
  readonly organisation?: ChainHead
  readonly patient?: ChainHead
}

/**
 * An entry as a log stores it.
 *
 * @param patient person id, null: about none
 * @param heads of its chains before it; without one it is the first
 */
export function storedEntry(
  log: string,
  index: number,
  access: Partial<AccessBase>,
  patient: string | null,
  heads: Heads = {},
): StoredEntry {
  const built = buildEntries({ ...base, ...access }, [{ patient, resources: [] }], 'organisation-1')
  if (!built.ok) throw new Error(built.error.detail)
  const entry = entryText(built.value[0]?.access ?? '', {
    log,
    index,
    time: '2026-11-22T09:06:00.123Z',
    organisation: heads.organisation,
    patient: patient === null ? null : heads.patient,
  })
  const salt = randomBytes(32)
  return { index, salt, entry, leaf: leafOf(salt, entry) }
}

/** What the redaction entry of index 1 says. */
export const redactionNote = { redacts: '1', 'redacts-organisation': '1@-', 'redacts-patient': '2@0' }

const redaction = { action: 'redaction', phase: 'intent', note: redactionNote } as const

/** Index 1 is the first of its organisation's chain and the second of its patient's. */
export const entriesBefore = (log: string): readonly StoredEntry[] => [
  storedEntry(log, 0, {}, 'p1'),
  storedEntry(log, 1, {}, 'p1', { patient: { previous: 0, count: 1 } }),
  storedEntry(log, 2, {}, 'p2', { organisation: { previous: 1, count: 1 } }),
]

/** Allows that index 1 goes, and nothing else. */
export const redactionEntry = (log: string, note: Record<string, string> = redactionNote): StoredEntry =>
  storedEntry(log, 3, { ...redaction, note }, null)

/** By none of these may index 1 go. */
export const noRedactions: readonly (readonly [string, (log: string) => StoredEntry])[] = [
  ['another log made', (log) => redactionEntry(log, { ...redactionNote, 'redacts-log': 'another' })],
  ['names no index', (log) => storedEntry(log, 3, { ...redaction, note: null }, null)],
  ['names another index', (log) => redactionEntry(log, { ...redactionNote, redacts: '2' })],
  ['names the index in another way', (log) => redactionEntry(log, { ...redactionNote, redacts: '01' })],
  [
    'names another place in the chain of the organisation',
    (log) => redactionEntry(log, { ...redactionNote, 'redacts-organisation': '1@0' }),
  ],
  [
    'names no place in the chain of the patient',
    (log) => redactionEntry(log, { ...redactionNote, 'redacts-patient': '-' }),
  ],
  ['leaves a place out', (log) => redactionEntry(log, { redacts: '1', 'redacts-organisation': '1@-' })],
  [
    'was denied',
    (log) =>
      storedEntry(log, 3, { ...redaction, decision: { outcome: 'deny', reason: 'no', detail: null } }, null),
  ],
  ['is no intent', (log) => storedEntry(log, 3, { ...redaction, phase: 'outcome' }, null)],
  ['is another action', (log) => storedEntry(log, 3, { ...redaction, action: 'policy' }, null)],
]

/** Index 3 redacts index 5: what comes later cannot have been judged. */
export const redactionOfLater = (log: string): readonly StoredEntry[] => [
  redactionEntry(log, { ...redactionNote, redacts: '5' }),
  storedEntry(log, 4, {}, 'p4'),
  storedEntry(log, 5, {}, 'p1', { patient: { previous: 0, count: 1 } }),
]

/** Index 4 redacts the redaction entry at index 3. */
export const redactionOfRedaction = (log: string): readonly StoredEntry[] => [
  redactionEntry(log),
  storedEntry(
    log,
    4,
    { ...redaction, note: { redacts: '3', 'redacts-organisation': '1@-', 'redacts-patient': '-' } },
    null,
  ),
]

/** The same index with other bytes, and other places. */
export const otherBytes = (log: string): StoredEntry => storedEntry(log, 1, { status: 404 }, 'p9')
