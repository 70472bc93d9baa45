/** The searches that IHE profiles oblige a server to answer: QEDm (PCC-44), PDQm (ITI-78) and MHD (ITI-67). */
import { describe, expect, test } from 'vitest'
import { parseSearch } from '../../src/fhir/search.ts'

const issuesOf = (address: string): readonly string[] => {
  const [type = '', query = ''] = address.split('?')
  const parsed = parseSearch(type, new URLSearchParams(query), {
    baseUrl: 'https://record.example/fhir/',
    isLenient: false,
  })
  return parsed.ok ? [] : parsed.error.map(({ code, expression }) => `${code} ${expression}`)
}

describe('QEDm', () => {
  const dates = ['eq2024', 'ge2024-01', 'le2024', 'gt2024', 'lt2025-02-03'].map((date) => `date=${date}`)
  test.each(
    ['Observation', 'DiagnosticReport'].flatMap((type) =>
      [
        'category=laboratory',
        'category=laboratory&code=http://loinc.org|718-7',
        ...dates.flatMap((date) => [`category=laboratory&${date}`, `category=laboratory&code=718-7&${date}`]),
      ].map((query) => `${type}?patient=a&${query}`),
    ),
  )('%s', (address) => {
    expect(issuesOf(address)).toEqual([])
  })

  test.each([
    'AllergyIntolerance?patient=a',
    'Immunization?patient=a',
    'Condition?patient=a&category=problem-list-item&clinical-status=active',
    'Procedure?patient=a&date=ge2024',
    'Encounter?patient=a&date=ge2024',
    'Provenance?target=Observation/o',
    'MedicationStatement?patient=a&_include=MedicationStatement:medication',
    'MedicationRequest?patient=a&_include=MedicationRequest:medication',
    'Observation?patient=a&_revinclude=Provenance:target',
  ])('%s', (address) => {
    expect(issuesOf(address)).toEqual([])
  })
})

describe('PDQm', () => {
  test.each([
    '_id=a',
    'identifier=s|v',
    'identifier=s|v&birthdate=1950-01-02',
    'family=Roy&gender=male',
    'family=Roy&birthdate=1950-01-02',
    'family:exact=Roy&given:exact=Luc',
    'family=Roy&given=Luc&active=true&telecom=514-555-0100&mothersMaidenName=Cyr',
    'family=Roy&address=Sherbrooke&address-city=Laval&address-state=QC&address-country=CA&address-postalcode=H2X',
  ])('Patient?%s', (query) => {
    expect(issuesOf(`Patient?${query}`)).toEqual([])
  })
})

describe('MHD', () => {
  test.each([
    'author.given=Luc',
    'author.family=Roy',
    'category=c',
    'creation=ge2024',
    'date=ge2024',
    'event=e',
    'facility=f',
    'format=urn:x|f',
    'identifier=s|v',
    'period=ge2024',
    'related=Encounter/e',
    'security-label=N',
    'setting=s',
    'type=http://loinc.org|34133-9',
  ])('DocumentReference?patient.identifier=s|v&status=current&%s', (query) => {
    for (const patient of ['patient=a', 'patient.identifier=s|v'])
      expect(issuesOf(`DocumentReference?${patient}&status=current&${query}`)).toEqual([])
  })
})
