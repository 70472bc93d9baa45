/** What one professional did in the month, in the order of time, and by patient. */
import type { AccessEntry } from './entries.ts'

export interface ProfessionalMonth {
  readonly id: string
  /** At least one. */
  readonly entries: readonly AccessEntry[]
  readonly byPatient: ReadonlyMap<string, readonly AccessEntry[]>
}

export function professionalMonth(id: string, unordered: readonly AccessEntry[]): ProfessionalMonth {
  const entries = unordered.toSorted((a, b) => a.time - b.time)
  return { id, entries, byPatient: Map.groupBy(entries, ({ patient }) => patient) }
}

/** Of what was read: declaring an emergency and looking a person up disclose no more than who it is. */
export const isRead = ({ isLookUp, action }: AccessEntry): boolean => !isLookUp && action !== 'break-glass'
