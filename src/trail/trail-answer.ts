/** Rows of the trail as AuditEvents for whoever asks: officers get them whole, who they are about in plain words. */
import type { Caller } from '../access/caller.ts'
import type { ToldEntry } from '../audit/csv-columns.ts'
import { limits } from '../limits.ts'
import type { Row, Rows } from '../store/ports.ts'
import { auditEventsOf } from './audit-event.ts'
import type { AuditEvent } from './audit-event-types.ts'
import { patientEvent } from './patient-event.ts'
import { placeNamesOf } from './place-names.ts'
import type { Language } from './plain-words.ts'
import { isMeant } from './trail-match.ts'
import { positionOf, type TrailPosition } from './trail-page.ts'
import type { TrailTerm } from './trail-search.ts'

/** Who may search the trail. */
export type TrailReader = Extract<Caller, { kind: 'privacy-officer' | 'patient' | 'guardian' }>

export const isReader = (caller: Caller): caller is TrailReader =>
  caller.kind === 'privacy-officer' || caller.kind === 'patient' || caller.kind === 'guardian'

/** An entry and those of its AuditEvents that were asked for: at least one. */
export interface TrailHit {
  readonly entry: ToldEntry
  readonly events: readonly AuditEvent[]
}

export interface TrailPage {
  readonly hits: readonly TrailHit[]
  /** The last entry that was looked at, where there may be more; null: that was all. */
  readonly after: TrailPosition | null
}

export interface Asked {
  readonly terms: readonly TrailTerm[]
  /** Whose accesses alone are shown; null: everybody's. */
  readonly organisation: string | null
  /** Patients and guardians are told what happened; that it was decided is in the same words. */
  readonly withDecisions: boolean
  readonly origin: string
}

export const askedBy = (reader: TrailReader, terms: readonly TrailTerm[], origin: string): Asked => ({
  terms,
  organisation: reader.kind === 'privacy-officer' ? reader.organisation : null,
  withDecisions: reader.kind === 'privacy-officer',
  origin,
})

/** Null: nothing of it was asked for. */
export function hitOf(row: Row, { terms, organisation, withDecisions, origin }: Asked): TrailHit | null {
  const entry = JSON.parse(String(row.entry)) as ToldEntry
  if (organisation !== null && entry.access.who.organisation !== organisation) return null
  const all = auditEventsOf(entry, origin)
  const events = (withDecisions ? all : all.slice(0, 1)).filter((event) => isMeant(event, terms))
  return events.length === 0 ? null : { entry, events }
}

/**
 * From rows of `trailPageStatement`, in their order: up to `count` AuditEvents, but never less than those of one entry, and
 * about at most `limits.maxAccessPatients` patients, which one access may name.
 *
 * @param scanned how many rows the statement was asked for, less one
 */
export function trailPage(rows: Rows, asked: Asked, count: number, scanned: number): TrailPage {
  const hits: TrailHit[] = []
  const patients = new Set<string>()
  let events = 0
  let after: TrailPosition | null = null
  let seen = 0
  for (const row of rows.slice(0, scanned)) {
    const hit = hitOf(row, asked)
    if (hit !== null) {
      const { patient } = hit.entry.access
      const isFull = hits.length > 0 && events + hit.events.length > count
      const isCrowded =
        patient !== null && !patients.has(patient) && patients.size === limits.maxAccessPatients
      if (isFull || isCrowded) return { hits, after }
      hits.push(hit)
      events += hit.events.length
      if (patient !== null) patients.add(patient)
    }
    seen += 1
    after = positionOf(row)
  }
  return { hits, after: seen < Number(rows[0]?.found ?? 0) ? after : null }
}

/** JSON texts of the resources, in order. @param names rows of `placeNamesStatements` of these entries */
export const resourcesOf = (
  hits: readonly TrailHit[],
  reader: TrailReader,
  names: readonly Rows[],
  language: Language,
  origin: string,
): readonly { readonly id: string; readonly json: string }[] =>
  hits.flatMap(({ entry, events }) =>
    events.map((event) => ({
      id: event.id,
      json: JSON.stringify(
        reader.kind === 'privacy-officer'
          ? event
          : patientEvent(
              event,
              entry,
              placeNamesOf(entry.access, names),
              language,
              origin,
              reader.kind === 'guardian',
            ),
      ),
    })),
  )
