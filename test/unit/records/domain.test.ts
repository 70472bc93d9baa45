import { describe, expect, test } from 'vitest'
import { resourceTypes } from '../../../src/fhir/types.ts'
import { domainOf } from '../../../src/records/domain.ts'
import { normalFamily, personKeys } from '../../../src/records/person.ts'
import { type Routed, route, type SharingRule } from '../../../src/records/sharing.ts'

const section = 'http://terminology.hl7.org/CodeSystem/v2-0074'
const observation = 'http://terminology.hl7.org/CodeSystem/observation-category'

describe('the domain', () => {
  test.each([
    ['MedicationRequest', 'medication'],
    ['Specimen', 'laboratory'],
    ['ImagingStudy', 'imaging'],
    ['ImmunizationRecommendation', 'immunization'],
    ['AllergyIntolerance', 'allergy'],
    ['Encounter', 'hospital-summary'],
    ['Observation', 'hospital-summary'],
    ['DiagnosticReport', 'other'],
    ['DocumentReference', 'other'],
    ['PractitionerRole', 'directory'],
    ['RelatedPerson', 'identity'],
    ['Claim', 'other'],
    ['AuditEvent', 'other'],
  ])('of %s is %s', (type, domain) => {
    expect(domainOf(type, [], [])).toBe(domain)
  })

  test.each([
    ['Observation', observation, 'laboratory', 'laboratory'],
    ['Observation', observation, 'imaging', 'imaging'],
    ['Observation', observation, 'vital-signs', 'hospital-summary'],
    ['DiagnosticReport', section, 'LAB', 'laboratory'],
    ['DiagnosticReport', section, 'HM', 'laboratory'],
    ['DiagnosticReport', section, 'RAD', 'imaging'],
    ['Procedure', observation, 'laboratory', 'hospital-summary'],
  ])('of %s goes by its category %s|%s', (type, system, code, domain) => {
    expect(
      domainOf(
        type,
        [
          { system: 'x', code: 'y' },
          { system, code },
        ],
        [],
      ),
    ).toBe(domain)
  })

  test('a discharge summary goes by its document type', () => {
    expect(domainOf('DocumentReference', [], [{ system: 'http://loinc.org', code: '18842-5' }])).toBe(
      'hospital-summary',
    )
  })

  test('every R4 type has one', () => {
    for (const type of resourceTypes) expect(domainOf(type, [], [])).toMatch(/^[a-z-]+$/)
  })
})

describe('the route', () => {
  const any: SharingRule = {
    domain: '*',
    type: '*',
    category: '*',
    code: '*',
    confidentiality: '*',
    shared: true,
  }
  const document: Routed = {
    type: 'Observation',
    domain: 'laboratory',
    categories: ['c|1'],
    codes: ['l|hiv', 'l|other'],
    confidentiality: 'N',
    canHavePerson: true,
    hasPerson: true,
  }

  test('without a matching rule is local', () => {
    expect(route([], document)).toBe('local')
    expect(route([{ ...any, domain: 'imaging' }], document)).toBe('local')
  })

  test('is decided by the first rule that matches', () => {
    expect(route([{ ...any, code: 'l|other', shared: false }, any], document)).toBe('local')
    expect(route([any, { ...any, code: 'l|other', shared: false }], document)).toBe('records')
  })

  test.each<[keyof SharingRule, string]>([
    ['domain', 'laboratory'],
    ['type', 'Observation'],
    ['category', 'c|1'],
    ['code', 'l|hiv'],
    ['confidentiality', 'N'],
  ])('a rule may name the %s', (member, value) => {
    expect(route([{ ...any, [member]: value }], document)).toBe('records')
    expect(route([{ ...any, [member]: `${value}x` }], document)).toBe('local')
  })

  test('no rule shares who saw, who may see, or what nobody could refuse', () => {
    expect(route([any], { ...document, type: 'AuditEvent', domain: 'other' })).toBe('local')
    expect(route([any], { ...document, type: 'Consent', domain: 'other' })).toBe('local')
    expect(route([any], { ...document, hasPerson: false })).toBe('local')
    expect(route([any], { ...document, type: 'Medication', canHavePerson: false, hasPerson: false })).toBe(
      'records',
    )
    expect(route([any], { ...document, type: 'Organization', domain: 'directory', hasPerson: false })).toBe(
      'records',
    )
  })
})

describe('person keys', () => {
  test.each([
    ['Lévesque-Côté', 'LEVESQUE COTE'],
    ["O'Neill", 'ONEILL'],
    ['Lebœuf', 'LEBOEUF'],
    ['D’Amours', "d'amours"],
    ['Nguyễn', 'NGUYEN'],
  ])('%s and %s are one name', (a, b) => {
    expect(normalFamily(a)).toBe(normalFamily(b))
    expect(normalFamily(a)).not.toBe('')
  })

  test('stay bounded, whatever the resource holds', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => i)
    const keys = personKeys({
      resourceType: 'Patient',
      identifier: many.map((i) => ({ system: 's', value: `${i}` })),
      name: many.map((i) => ({ family: `n${i}` })),
    })
    expect(keys.length).toBeLessThanOrEqual(250)
  })
})
