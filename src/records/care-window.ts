/**
 * The care relationship that a published encounter stands for: everybody authorised at the facility, for the encounter's
 * period and some days after, never more than a day before its publication was logged. Nothing else that a facility
 * publishes opens anything.
 */
import type { Resource } from '../fhir/bundle.ts'
import { rangeOf } from '../fhir/date.ts'
import { isObject } from '../fhir/json.ts'
import { limits } from '../limits.ts'
import type { Statement } from '../store/ports.ts'
import type { Publication } from './documents.ts'
import { chunked, documentKey, type Prior } from './documents-rows.ts'
import { refusedRow } from './documents-sql.ts'

/** What an `Encounter` says of its time. */
export interface EncounterTime {
  readonly status: string
  /** UTC; null where it names none. */
  readonly start: string | null
  readonly end: string | null
}

/** Milliseconds since 1970; `ends` exclusive. */
export interface CareWindow {
  readonly starts: number
  readonly ends: number
}

export interface CareSettings {
  readonly encounterDaysAfter: number
  readonly encounterOpenDays: number
}

const dayMs = 24 * 60 * 60_000

/** R4 encounter-status of people who are, were or will be cared for. */
const caredFor: ReadonlySet<string> = new Set([
  'planned',
  'arrived',
  'triaged',
  'in-progress',
  'onleave',
  'finished',
])

export function encounterTime({ resourceType, status, period }: Resource): EncounterTime | null {
  if (resourceType !== 'Encounter') return null
  const { start, end } = isObject(period) ? period : {}
  return {
    status: typeof status === 'string' ? status : '',
    start: rangeOf(start).lo || null,
    end: rangeOf(end).hi || null,
  }
}

/** Null when the encounter stands for no relationship. */
export function careWindow(
  { status, start, end }: EncounterTime,
  published: string,
  { encounterDaysAfter, encounterOpenDays }: CareSettings,
): CareWindow | null {
  if (!caredFor.has(status)) return null
  const publishedMs = Date.parse(published)
  const startMs = start === null ? publishedMs : Date.parse(start)
  const starts = Math.max(startMs, publishedMs - dayMs)
  const isOver = status === 'finished'
  const last =
    end !== null
      ? Date.parse(end) + encounterDaysAfter * dayMs
      : isOver
        ? startMs + encounterDaysAfter * dayMs
        : publishedMs + encounterOpenDays * dayMs
  const ends = Math.min(last, publishedMs + limits.maxEncounterDays * dayMs)
  return starts < ends ? { starts, ends } : null
}

const staged = `select 'Encounter' as type, value ->> 0 as id, value ->> 1 as source_record, value ->> 2 as hash, value ->> 3 as starts,
  value ->> 4 as ends, value ->> 5 as must_exist, value ->> 6 as prior_version from json_each(:rows)`

/**
 * In the *records* batch, after the documents: the relationships of its encounters, shared or not. An encounter that was not
 * taken, or did not change, changes none.
 */
export function relateEncounters(
  { facility, published, plan, settings }: Publication,
  priors: ReadonlyMap<string, Prior>,
): readonly Statement[] {
  const rows = plan.documents.flatMap((document) => {
    if (document.encounter === null || document.sourceRecord === '') return []
    const window = careWindow(document.encounter, published, settings)
    const prior = priors.get(documentKey(document))
    return [
      [
        document.id,
        document.sourceRecord,
        document.hash,
        window?.starts ?? null,
        window?.ends ?? null,
        document.mustExist ? 1 : 0,
        prior?.version ?? 0,
      ],
    ]
  })
  return chunked(rows).flatMap((encounters) => {
    const args = { rows: encounters, facility }
    const taken = `(${staged}) as s
      left join document as cur on cur.type = 'Encounter' and cur.id = s.id
      where not ${refusedRow}`
    return [
      {
        sql: `
          update relationship set valid_to = (select n from clock)
          where valid_to is null and kind = 'encounter' and facility = :facility
            and (source, digest, source_record) in (
              select r.source, r.digest, r.source_record from (
                select s.id, s.hash, s.source_record from ${taken}) as t
              join relationship as r on r.source = 'Encounter/' || t.id and r.valid_to is null
              where r.digest <> t.hash or r.source_record <> t.source_record)`,
        args,
      },
      {
        sql: `
          insert into relationship (kind, source_record, facility, professional, starts, ends, source, digest, recorded_by,
            valid_from)
          select 'encounter', t.source_record, :facility, '', t.starts, t.ends, 'Encounter/' || t.id, t.hash, :facility,
            (select n from clock)
          from (select s.* from ${taken} and s.starts is not null) as t
          where not exists (
            select 1 from relationship as r where r.source = 'Encounter/' || t.id and r.valid_to is null)`,
        args,
      },
    ]
  })
}

/** In the *records* batch: of encounters that are deleted, shared or not. @param ids JSON array of server ids */
export const endRelationships = (ids: string, facility: string): Statement => ({
  sql: `
    update relationship set valid_to = (select n from clock)
    where valid_to is null and kind = 'encounter' and facility = :facility
      and source in (select 'Encounter/' || value from json_each(:ids))`,
  args: { ids, facility },
})
