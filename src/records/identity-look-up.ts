/**
 * Looking a person up by identifier and birth date: whom the register of persons knows by them, whoever published what. What
 * is told is built from the register alone, so that it is the same for every caller.
 */
import type { IdentityLookUp } from '../fhir/search.ts'
import type { Rows, Statement } from '../store/ports.ts'

export interface Identity {
  readonly person: string
  /** Server id of one of the person's `Patient`s: a name for the person, good for attesting. */
  readonly id: string
  readonly system: string
  readonly value: string
  readonly birthDate: string
  /** Normalised (`person.ts`); empty where unknown. */
  readonly family: string
}

/**
 * One row per person. What a facility has changed in a record since it was joined with others tells the person only where a
 * record of another facility agrees: else whoever looks its new number up would be shown somebody else.
 */
export const identityStatement = ({ system, value, birthDate }: IdentityLookUp): Statement => ({
  sql: `select s.person, min(s.id) as id, k.system, k.value, k.birth_date, max(k.family) as family
    from person_key as k cross join source_record as s on s.id = k.source_record
    where k.system = :system and k.value = :value and k.birth_date = :birth_date
      and (not exists (select 1 from link_review as v where v.source_record = s.id and v.reason = 'identity-changed')
        or exists (
          select 1 from source_record as o cross join person_key as m on m.source_record = o.id
          where o.person = s.person and o.facility <> s.facility
            and m.system = k.system and m.value = k.value and m.birth_date = k.birth_date))
    group by s.person order by s.person`,
  args: { system, value, birth_date: birthDate },
})

export const knownIdentities = (rows: Rows): readonly Identity[] =>
  rows.map((row) => ({
    person: String(row.person),
    id: String(row.id),
    system: String(row.system),
    value: String(row.value),
    birthDate: String(row.birth_date),
    family: String(row.family),
  }))

const subsetted = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'SUBSETTED',
}

/** A bundle entry: minimal demographics, marked as such (R4 §3.1.1.5.8, `SUBSETTED`). */
export const minimalPatient = ({ id, system, value, birthDate, family }: Identity, origin: string): string =>
  JSON.stringify({
    fullUrl: `${origin}/fhir/Patient/${id}`,
    resource: {
      resourceType: 'Patient',
      id,
      meta: { tag: [subsetted] },
      identifier: [{ system, value }],
      ...(family === '' ? {} : { name: [{ family }] }),
      birthDate,
    },
    search: { mode: 'match' },
  })
