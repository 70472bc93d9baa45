/** What the sample data tell of a patient. */
import type { History } from './events.ts'

export interface SamplePatient extends History {
  readonly family: string
  readonly given: readonly [string, ...string[]]
  readonly gender: 'female' | 'male'
  /** `YYYY-MM-DD`. */
  readonly birthDate: string
  readonly line: string
  readonly city: string
  readonly postalCode: string
  readonly phone: string
  /** Facilities that know the person; each publishes a `Patient` resource of its own. */
  readonly facilities: readonly [string, ...string[]]
  /** False: no health-insurance number yet. */
  readonly insured?: false
  /** The family name that another facility has on file: the records are not joined without a review. */
  readonly otherName?: { readonly facility: string; readonly family: string }
  /** A document its author marked restricted: it stays at that facility. */
  readonly restricted?: { readonly facility: string; readonly document: 'psychiatry' | 'hiv-test' }
}

/** Facilities of the sample directory. */
export const montRoyal = 'hopital-mont-royal'
export const laurier = 'pharmacie-laurier'
export const capDiamant = 'hopital-cap-diamant'
export const saintRoch = 'clinique-saint-roch'

type Person = readonly [
  family: string,
  given: readonly [string, ...string[]],
  gender: 'female' | 'male',
  birthDate: string,
  line: string,
  city: string,
  postalCode: string,
  phone: string,
]

/** A patient with what is told of them; whatever is not told, they do not have. */
export const patient = (
  person: Person,
  facilities: readonly [string, ...string[]],
  rest: Partial<Omit<SamplePatient, 'facilities'>>,
): SamplePatient => {
  const [family, given, gender, birthDate, line, city, postalCode, phone] = person
  return {
    family,
    given,
    gender,
    birthDate,
    line,
    city,
    postalCode,
    phone,
    facilities,
    problems: [],
    allergies: [],
    examinations: [],
    stays: [],
    ...rest,
  }
}
