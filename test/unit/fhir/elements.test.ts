import { expect, test } from 'vitest'
import { codingsAt, identifiersOf } from '../../../src/fhir/codings.ts'
import { elementsOf, personParam, searchElements } from '../../../src/fhir/elements.ts'
import { operationOutcome } from '../../../src/fhir/outcome.ts'
import { resourceTypes } from '../../../src/fhir/types.ts'

test('the table names R4 types only', () => {
  for (const type of Object.keys(searchElements)) expect(resourceTypes).toContain(type)
})

test('the person is asked for by the parameters R4 has', () => {
  expect(personParam('Observation')).toEqual(['patient', 'subject'])
  expect(personParam('Immunization')).toEqual(['patient'])
  expect(personParam('Coverage')).toEqual(['patient', 'beneficiary'])
  expect(personParam('Organization')).toEqual([])
  expect(personParam('ValueSet')).toEqual([])
})

test('dates have the parameter R4 gives them', () => {
  const params = [
    'Observation',
    'MedicationRequest',
    'MedicationDispense',
    'Condition',
    'ImagingStudy',
    'Patient',
  ]
  expect(params.map((type) => elementsOf(type).dateParam)).toEqual([
    'date',
    'authoredon',
    'whenhandedover',
    'recorded-date',
    'started',
    null,
  ])
})

test('codes are read from every shape R4 gives them', () => {
  const concept = { coding: [{ system: 's', code: 'a' }, { display: 'no code' }, { code: 'b' }] }
  const expected = [
    { system: 's', code: 'a' },
    { system: '', code: 'b' },
  ]
  expect(codingsAt({ resourceType: 'Observation', code: concept }, 'code')).toEqual(expected)
  expect(codingsAt({ resourceType: 'Observation', category: [concept] }, 'category')).toEqual(expected)
  expect(codingsAt({ resourceType: 'Encounter', class: { system: 's', code: 'a' } }, 'class')).toEqual([
    expected[0],
  ])
  expect(codingsAt({ resourceType: 'AllergyIntolerance', category: ['food'] }, 'category')).toEqual([
    { system: 'http://hl7.org/fhir/allergy-intolerance-category', code: 'food' },
  ])
  for (const code of [null, 5, [], [null], {}, { coding: 'x' }])
    expect(codingsAt({ resourceType: 'Observation', code }, 'code')).toEqual([])
})

test('identifiers are read single or repeating; those without a value say nothing', () => {
  const masterIdentifier = { system: 'm', value: '1' }
  const identifier = [{ value: '2' }, { system: 'x' }]
  expect(identifiersOf({ resourceType: 'DocumentReference', masterIdentifier, identifier })).toEqual([
    masterIdentifier,
    { system: '', value: '2' },
  ])
  expect(identifiersOf({ resourceType: 'Composition', identifier: masterIdentifier })).toEqual([
    masterIdentifier,
  ])
})

test('an outcome speaks the language asked for and says where', () => {
  const issues = [{ code: 'value', expression: 'Bundle.type', text: { fr: 'faux', en: 'wrong' } }]
  expect(operationOutcome(issues, 'fr')).toEqual({
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'value', details: { text: 'faux' }, expression: ['Bundle.type'] }],
  })
  expect(operationOutcome(issues, 'en').issue[0]?.details.text).toBe('wrong')
})
