/** Volumes far outside what others of the same role read: median and median absolute deviation, which outliers do not move. */
import { limits } from '../../limits.ts'
import type { AccessEntry } from './entries.ts'
import { type Found, found } from './finding.ts'
import { isRead, type ProfessionalMonth } from './professional-month.ts'
import type { Thresholds } from './rules.ts'

/** What is kept of a professional until everybody has been counted. */
export interface Volume {
  readonly role: string
  readonly patients: number
  /** The first of them, as evidence, of those who may stand out; `accesses`: how many. */
  readonly first: readonly AccessEntry[]
  readonly accesses: number
}

/** Of the role in which the professional read most; null: nothing was read. */
export function volumeOf(
  { entries }: ProfessionalMonth,
  { minPatients }: Thresholds['volume'],
): Volume | null {
  const byRole = [...Map.groupBy(entries.filter(isRead), ({ role }) => role)]
  const [most] = byRole.toSorted(([, a], [, b]) => b.length - a.length)
  if (most === undefined) return null
  const [role, reads] = most
  const patients = new Set(reads.map(({ patient }) => patient)).size
  const first = patients < minPatients ? [] : reads.slice(0, limits.maxFindingEntries)
  return { role, patients, first, accesses: reads.length }
}

/**
 * Professionals with more patients than the median of their role and `factor` deviations (1.4826 MAD, what a standard
 * deviation is of a normal distribution; at least 1), of `minPatients` or more, in roles of `minGroup` professionals or more.
 */
export function volumes(
  all: readonly Volume[],
  { factor, minGroup, minPatients }: Thresholds['volume'],
): readonly Found[] {
  return [...Map.groupBy(all, ({ role }) => role).values()].flatMap((group) => {
    if (group.length < minGroup) return []
    const counts = group.map(({ patients }) => patients)
    const middle = median(counts)
    const deviation = Math.max(1, 1.4826 * median(counts.map((count) => Math.abs(count - middle))))
    return group
      .filter(({ patients }) => patients >= minPatients && patients > middle + factor * deviation)
      .map(({ role, patients, first, accesses }) => ({
        ...found('volume', first, null, {
          role,
          patients,
          accesses,
          median: middle,
          deviation: Math.round(deviation * 10) / 10,
          group: group.length,
        }),
        entryCount: accesses,
      }))
  })
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}
