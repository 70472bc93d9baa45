/** Everybody the sample data are about. */
import type { SamplePatient } from './patient.ts'
import { patientsOfMontreal } from './patients-montreal.ts'
import { patientsOfQuebec } from './patients-quebec.ts'

export const patients: readonly SamplePatient[] = [...patientsOfMontreal, ...patientsOfQuebec]

/**
 * A health-insurance number as the régie builds them: three letters of the family name, one of the given name, year,
 * month (+ 50 for women) and day of birth, two digits. Those two are `99` for everybody here, so that a number of the
 * sample is recognised as one.
 */
export function healthInsuranceNumber(patient: SamplePatient): string {
  const letters = (name: string): string =>
    name
      .normalize('NFD')
      .replaceAll(/[^A-Za-z]/g, '')
      .toUpperCase()
  const [year = '', month = '', day = ''] = patient.birthDate.split('-')
  const sexedMonth = Number(month) + (patient.gender === 'female' ? 50 : 0)
  return `${letters(patient.family).slice(0, 3).padEnd(3, 'X')}${letters(patient.given[0]).slice(0, 1)}${year.slice(2)}${String(sexedMonth).padStart(2, '0')}${day}99`
}
