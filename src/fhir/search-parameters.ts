/**
 * The search parameters of each type: the one table that the grammar reads, the capability statement tells, and the test
 * against leaks draws its queries from.
 */
import { elementsOf, personParam } from './elements.ts'

export interface SearchParameter {
  readonly name: string
  /** FHIR R4 search parameter type. */
  readonly type: 'reference' | 'token' | 'date'
  /** What of a document it is compared with. */
  readonly of: 'person' | 'category' | 'code' | 'date' | 'identifier' | 'birth-date'
}

const patientParameters: readonly SearchParameter[] = [
  { name: 'identifier', type: 'token', of: 'identifier' },
  { name: 'birthdate', type: 'date', of: 'birth-date' },
]

/** Where two mean the same name, the first counts. */
export function searchParametersOf(type: string): readonly SearchParameter[] {
  if (type === 'Patient') return patientParameters
  const { categoryParam, codeParam, dateParam } = elementsOf(type)
  const named = (
    name: string | null,
    parameter: Omit<SearchParameter, 'name'>,
  ): readonly SearchParameter[] => (name === null ? [] : [{ name, ...parameter }])
  return [
    ...personParam(type).flatMap((name) => named(name, { type: 'reference', of: 'person' })),
    ...named(categoryParam, { type: 'token', of: 'category' }),
    ...named(codeParam, { type: 'token', of: 'code' }),
    ...named(dateParam, { type: 'date', of: 'date' }),
  ]
}

/** Parameters of every search, about its answer. */
export const answerParameters = ['_count', '_cursor', '_format', '_pretty'] as const

/** The audit log and the register of consents have searches of their own; what facilities publish of these types is not searched. */
export const isSearched = (type: string): boolean =>
  type !== 'AuditEvent' &&
  type !== 'Consent' &&
  searchParametersOf(type).some(({ of }) => of === 'person' || of === 'identifier')
