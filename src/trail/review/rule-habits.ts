/** When, and to what end: unusual hours, and people looked up of whom nothing was read then. */
import type { AccessEntry } from './entries.ts'
import type { Facts } from './facts.ts'
import { type Found, found } from './finding.ts'
import { hourOf, type Month } from './month.ts'
import { isRead, type ProfessionalMonth } from './professional-month.ts'
import type { Thresholds } from './rules.ts'

const hourMs = 3_600_000

/**
 * Reads at night (`nightFrom` to `nightTo`, Québec): `minAccesses` of them at facilities of `dayTypes`, which have no night
 * service; elsewhere as many, where they are at most `maxShare` of what the professional reads (`minTotal` reads or more).
 */
export function unusualHours(
  { entries }: ProfessionalMonth,
  { facilityTypes }: Facts,
  { nightFrom, nightTo, dayTypes, minAccesses, minTotal, maxShare }: Thresholds['unusual-hours'],
): readonly Found[] {
  const reads = entries.filter(isRead)
  const isNight = ({ time }: AccessEntry): boolean => {
    const hour = hourOf(time)
    return nightFrom <= nightTo ? hour >= nightFrom && hour < nightTo : hour >= nightFrom || hour < nightTo
  }
  const nights = reads.filter(isNight)
  const closed = nights.filter(({ facility }) => dayTypes.includes(facilityTypes.get(facility) ?? ''))
  const share = nights.length / Math.max(reads.length, 1)
  const isUnusual = nights.length >= minAccesses && reads.length >= minTotal && share <= maxShare
  const evidence = closed.length >= minAccesses ? closed : isUnusual ? nights : []
  return evidence.length === 0
    ? []
    : [
        found('unusual-hours', evidence, null, {
          atClosedFacilities: closed.length,
          night: nights.length,
          total: reads.length,
          patients: new Set(evidence.map(({ patient }) => patient)).size,
        }),
      ]
}

/**
 * People found by identifier and birth date of whom the professional read nothing within `hours`: `minLookUps` of them.
 * Those that a read could still follow when the month ends are not counted.
 */
export function lookUpWithoutRead(
  { byPatient }: ProfessionalMonth,
  month: Month,
  { hours, minLookUps }: Thresholds['look-up-without-read'],
): readonly Found[] {
  const alone = [...byPatient.values()].flatMap((entries) => {
    const reads = entries.filter(isRead)
    return entries.filter(
      ({ isLookUp, time }) =>
        isLookUp &&
        time + hours * hourMs <= month.to &&
        !reads.some((read) => read.time >= time && read.time - time <= hours * hourMs),
    )
  })
  if (alone.length < minLookUps) return []
  return [
    found(
      'look-up-without-read',
      alone.toSorted((a, b) => a.time - b.time),
      null,
      {
        lookUps: alone.length,
        patients: new Set(alone.map(({ patient }) => patient)).size,
      },
    ),
  ]
}
