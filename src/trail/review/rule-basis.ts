/** What opened the record: an emergency, the professional's own word, an encounter of an hour ago. */
import type { AccessEntry } from './entries.ts'
import type { Facts, HeldRelationship } from './facts.ts'
import { type Found, found } from './finding.ts'
import { isRead, type ProfessionalMonth } from './professional-month.ts'
import type { Thresholds } from './rules.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

export interface BreakGlassFound {
  readonly findings: readonly Found[]
  /** Emergencies whose follow-up may still come. */
  readonly notYetDue: number
}

/**
 * An emergency declared or used that nobody has decided about, and after which no encounter of the patient began at that
 * facility within `days`. What was published late began up to `hoursBefore` earlier.
 */
export function breakGlassWithoutFollowUp(
  { id, byPatient }: ProfessionalMonth,
  { emergencies }: Facts,
  { days, hoursBefore }: Thresholds['break-glass-without-follow-up'],
  now: number,
): BreakGlassFound {
  const findings: Found[] = []
  let notYetDue = 0
  for (const [patient, entries] of byPatient) {
    const used = entries.filter(({ isEmergency }) => isEmergency)
    if (used.length === 0) continue
    const unfollowed = emergencies.filter(
      (one) =>
        one.patient === patient &&
        one.professional === id &&
        one.decision === null &&
        !one.encounters.some(
          (began) => began >= one.starts - hoursBefore * hourMs && began <= one.starts + days * dayMs,
        ),
    )
    const due = unfollowed.filter(({ starts }) => starts + days * dayMs <= now)
    notYetDue += unfollowed.length - due.length
    // A moment passes between declaring it and the log's own clock.
    const during = used.filter(({ time, facility }) =>
      due.some(
        (one) => one.facility === facility && time >= one.starts - minuteMs && time < one.ends + minuteMs,
      ),
    )
    if (during.length > 0)
      findings.push(found('break-glass-without-follow-up', during, patient, { emergencies: due.length }))
  }
  return { findings, notYetDue }
}

/** Reads that nothing opened but the professional's own attestation, by the entry and by the relationships of its clock. */
export const attestationOnly = (
  { byPatient }: ProfessionalMonth,
  { relationships }: Facts,
  { minReads }: Thresholds['attestation-only'],
): readonly Found[] =>
  [...byPatient].flatMap(([patient, entries]) => {
    const others = (relationships.get(patient) ?? []).filter(({ kind }) => kind !== 'attestation')
    const alone = entries.filter(
      (entry) =>
        isRead(entry) && entry.basis === 'attestation' && !others.some((one) => holdsFor(one, entry)),
    )
    return alone.length < minReads ? [] : [found('attestation-only', alone, patient)]
  })

/**
 * Reads that an encounter opened which the same facility had published less than `minutes` before, where nothing else did,
 * it has published no more than `maxDocuments` further documents about the patient, and the encounter itself had begun less
 * than `startedHours` before its publication: an encounter made for looking, not paperwork that came late.
 */
export const freshRelationship = (
  { byPatient }: ProfessionalMonth,
  { relationships }: Facts,
  { minutes, startedHours, maxDocuments }: Thresholds['fresh-relationship'],
): readonly Found[] =>
  [...byPatient].flatMap(([patient, entries]) => {
    const held = relationships.get(patient) ?? []
    const isFresh = (one: HeldRelationship, { time }: AccessEntry): boolean =>
      one.published !== null &&
      one.documents <= maxDocuments &&
      (one.began === null || one.published - one.began < startedHours * hourMs) &&
      time - one.published < minutes * minuteMs
    const fresh = entries.filter((entry) => {
      const open = held.filter((one) => holdsFor(one, entry))
      return isRead(entry) && open.length > 0 && open.every((one) => isFresh(one, entry))
    })
    if (fresh.length === 0) return []
    const first = fresh[0] as AccessEntry
    const published = Math.max(...held.filter((one) => holdsFor(one, first)).map((one) => one.published ?? 0))
    return [
      found('fresh-relationship', fresh, patient, {
        minutes: Math.floor((first.time - published) / minuteMs),
      }),
    ]
  })

/** By the facts of the access: its facility, its time and its write clock. */
const holdsFor = (one: HeldRelationship, { facility, practitioner, time, clock }: AccessEntry): boolean =>
  one.facility === facility &&
  (one.professional === '' || one.professional === practitioner) &&
  one.starts <= time &&
  one.ends > time &&
  one.validFrom <= clock &&
  one.validTo > clock
