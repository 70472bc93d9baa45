/**
 * Patients and guardians: told apart by the identifier and birth date that the issuer vouches for, never by what they call
 * themselves. Who is under 14 is acted for; who is older acts alone (P-9.0001, s. 112).
 */
import { err, ok, type Result } from '../result.ts'
import type { Row, SqlValue } from '../store/ports.ts'
import { isOfAge, todayInQuebec } from './age.ts'
import type { Caller, Presented } from './caller.ts'
import type { CallerRows } from './caller-rows.ts'
import { type AccessRefusal, forbidden } from './refusal.ts'

const birthDates = (person: string): string => `(select json_group_array(distinct k.birth_date)
    from source_record as s cross join person_key as k on k.source_record = s.id where s.person = ${person})`

/**
 * What a facility says of its `Patient` may change after it was joined with others': a key `k` of source record `s` tells who
 * the person is where no other facility's record of the person says otherwise, or one of another organisation says the
 * same. So no organisation makes its patient another person's patient.
 */
const tellsPerson = (k: string, s: string): string => {
  const elsewhere = (condition: string): string => `exists (
    select 1 from source_record as o cross join person_key as m on m.source_record = o.id
    where o.person = ${s}.person and o.facility <> ${s}.facility and m.system = ${k}.system and ${condition})`
  const organisation = (source: string): string =>
    `(select organisation from facility where id = ${source}.facility and valid_to is null)`
  return `(
  not ${elsewhere(`(m.value <> ${k}.value or length(m.birth_date) = 10 and m.birth_date <> ${k}.birth_date)`)}
  or ${elsewhere(`m.value = ${k}.value and m.birth_date = ${k}.birth_date
      and ${organisation('o')} <> ${organisation(s)}`)})`
}

/**
 * Persons the bearer may be (`self`), and whom the launch context names (`ward`), guarded by one of those or not; without
 * a launch context the registered wards.
 */
export const patientStatement = `with self as materialized (
  select distinct s.person from person_key as k cross join source_record as s on s.id = k.source_record
  where k.system = (select patient_system from issuer
      where issuer = :caller_issuer and valid_to is null and patient_system <> '')
    and k.value = :caller_person_id and k.birth_date = :caller_birth_date and length(k.birth_date) = 10
    and ${tellsPerson('k', 's')})
select 'self' as who, self.person, ${birthDates('self.person')} as birth_dates, 0 as is_guarded from self
union all
select 'ward', w.person, ${birthDates('w.person')}, exists (
    select 1 from self cross join source_record as gs on gs.person = self.person
      cross join guardianship as g on g.guardian = gs.id
      cross join source_record as ws on ws.id = g.source_record
    where ws.person = w.person and g.valid_to is null)
from source_record as w where w.id = :caller_context
union all
select distinct 'ward', w.person, ${birthDates('w.person')}, 1
from self cross join source_record as gs on gs.person = self.person
  cross join guardianship as g on g.guardian = gs.id and g.valid_to is null
  cross join source_record as w on w.id = g.source_record
where :caller_context is null`

export const patientArgs = (presented: Presented): Readonly<Record<string, SqlValue>> => ({
  caller_issuer: presented.issuer,
  caller_person_id: presented.personId,
  caller_birth_date: presented.birthDate,
  caller_context: presented.patient,
})

export function readPatient({ row, patients, presented, nowMs }: CallerRows): Result<Caller, AccessRefusal> {
  // Vouching for the whole population is not for the issuer of one organisation.
  if (row.issuer_organisation !== '') return forbidden('issuer-not-for-organisation')
  const selves = patients.filter(({ who }) => who === 'self')
  const [self] = selves
  if (!self || selves.length > 1) return forbidden('person-unknown')
  const { assurance } = presented
  if (assurance === null || !(JSON.parse(String(row.patient_acr)) as string[]).includes(assurance))
    return err({ reason: 'unauthenticated', cause: 'assurance-too-low' })
  const person = String(self.person)
  const name = presented.name ?? ''
  const wards = patients.filter(({ who }) => who === 'ward')
  // Of several the token must name one.
  const ward = wards.length === 1 ? wards[0] : undefined
  const today = todayInQuebec(nowMs)
  if (presented.role === 'patient') {
    // A token about somebody else is not this patient's.
    if (presented.patient !== null && ward?.person !== person) return forbidden('person-unknown')
    return isOld(self, today) === true ? ok({ kind: 'patient', person, name, assurance }) : forbidden('age')
  }
  if (!ward?.is_guarded) return forbidden('guardianship-missing')
  if (isOld(self, today) !== true || isOld(ward, today) !== false) return forbidden('age')
  return ok({ kind: 'guardian', person: String(ward.person), guardian: person, name, assurance })
}

const isOld = (row: Row, today: string): boolean | null =>
  isOfAge(JSON.parse(String(row.birth_dates)) as string[], today)
