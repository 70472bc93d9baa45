/** Who is whom: own record, same name or address, a colleague as patient, a record that is watched. */
import type { AccessEntry } from './entries.ts'
import type { Facts } from './facts.ts'
import { type Found, found } from './finding.ts'
import { familiesOf, fullName } from './names.ts'
import type { ProfessionalMonth } from './professional-month.ts'
import type { Thresholds } from './rules.ts'

/** The professional is the patient: by the registry (`professional_person`), or possibly, by an equal full name. */
export const ownRecord = (
  { id, byPatient }: ProfessionalMonth,
  { own, patients }: Facts,
  { possible }: Thresholds['own-record'],
): readonly Found[] =>
  pairs(byPatient).flatMap(([patient, entries]) => {
    const known = patients.get(patient)
    if (known === undefined) return []
    if (own.get(id)?.person === known.person) return [found('own-record', entries, patient)]
    const isNamesake = known.fullNames.includes(fullName(nameOf(entries)))
    return possible === 1 && isNamesake && !own.has(id)
      ? [found('own-record', entries, patient, { possible: 1 })]
      : []
  })

/**
 * The professional has the patient's family name, or lives where the patient does. A common family name says nothing by
 * itself: it counts where nothing but the professional's own word or an emergency opened the record.
 */
export const sameFamilyOrAddress = (
  { id, byPatient }: ProfessionalMonth,
  { own, patients }: Facts,
  { minAccesses, commonFamilies }: Thresholds['same-family-or-address'],
): readonly Found[] =>
  pairs(byPatient).flatMap(([patient, entries]) => {
    const known = patients.get(patient)
    const self = own.get(id)
    if (known === undefined || known.person === self?.person || entries.length < minAccesses) return []
    const families = new Set([...familiesOf(nameOf(entries)), ...(self?.families ?? [])])
    const family = known.families.find(
      (name) => families.has(name) && (!commonFamilies.includes(name) || isByOwnWord(entries)),
    )
    const isSameAddress = self?.addresses.some((address) => known.addresses.includes(address)) ?? false
    if (family === undefined && !isSameAddress) return []
    return [
      found('same-family-or-address', entries, patient, {
        ...(family === undefined ? {} : { family }),
        ...(isSameAddress ? { sameAddress: 1 } : {}),
      }),
    ]
  })

const isByOwnWord = (entries: readonly AccessEntry[]): boolean =>
  entries.some(({ basis }) => basis === 'attestation' || basis === 'break-glass')

/** The patient is a professional with a role where the access came from: by the registry, or possibly, by full name. */
export const colleague = (
  { id, byPatient }: ProfessionalMonth,
  { colleagues, namesakes, patients }: Facts,
  { possible, minAccesses }: Thresholds['colleague'],
): readonly Found[] =>
  pairs(byPatient).flatMap(([patient, entries]) => {
    const places = new Set(entries.map(({ facility }) => facility))
    const known = colleagues
      .get(patient)
      ?.find(({ professional, facility }) => professional !== id && places.has(facility))
    const named = [...places]
      .flatMap((place) =>
        (patients.get(patient)?.fullNames ?? []).map((name) => namesakes.get(`${place}|${name}`)),
      )
      .find((professional) => professional !== undefined && professional !== id)
    const other = known?.professional ?? (possible === 1 ? named : undefined)
    if (other === undefined || entries.length < minAccesses) return []
    return [
      found('colleague', entries, patient, {
        colleague: other,
        ...(known === undefined ? { possible: 1 } : {}),
      }),
    ]
  })

/** The record is on the watch list at the time of the access. */
/** Why a record is watched is the record's officer's to know; that it is, whoever answers for the access. */
export const withoutReason = (one: Found): Found => {
  const { reason: _, ...numbers } = one.numbers
  return { ...one, numbers }
}

export const watchList = (
  { byPatient }: ProfessionalMonth,
  { watched }: Facts,
  { minAccesses }: Thresholds['watch-list'],
): readonly Found[] =>
  pairs(byPatient).flatMap(([patient, entries]) => {
    const periods = watched.get(patient) ?? []
    const during = entries.filter(({ time }) =>
      periods.some(({ starts, ends }) => time >= starts && time < ends),
    )
    if (during.length === 0 || during.length < minAccesses) return []
    return [found('watch-list', during, patient, { reason: periods[0]?.reason ?? '' })]
  })

const pairs = (byPatient: ProfessionalMonth['byPatient']) => [...byPatient]

const nameOf = (entries: readonly AccessEntry[]): string => entries[0]?.name ?? ''
