/** What validation finds and what it says, place by place. */
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/fhir/json.ts'
import type { ValidationOptions } from '../../../src/fhir/validate.ts'
import { validateResource } from '../../../src/fhir/validate.ts'
import { definitionsOfR4 } from '../../../src/local/definitions/of-r4.ts'

const issuesOf = (resource: JsonObject, options: Partial<ValidationOptions> = {}) =>
  validateResource(resource, definitionsOfR4(), { at: '', maxIssues: 100, typeOf: () => null, ...options })
/** `code expression` of each. */
const found = (resource: JsonObject, options: Partial<ValidationOptions> = {}) =>
  issuesOf(resource, options).map(({ code, expression }) => `${code} ${expression}`)

const observation = (members: JsonObject = {}): JsonObject => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'x' },
  ...members,
})
const extension = { url: 'urn:x', valueString: 'x' }

describe('an issue', () => {
  test('names the element from where the resource stands', () => {
    const wrong = observation({ code: { coding: [{ system: 'urn:x' }, { system: 7 }] } })
    expect(found(wrong, { at: 'Bundle.entry[3].resource' })).toEqual([
      'structure Bundle.entry[3].resource.code.coding[1].system',
    ])
  })

  test('of an unknown element says which one is probably meant', () => {
    const [issue] = issuesOf(observation({ subjekt: { display: 'x' } }))
    expect(issue).toEqual({
      code: 'structure',
      expression: 'subjekt',
      text: {
        fr: 'Élément inconnu « subjekt » : vouliez-vous dire « subject » ?',
        en: 'Unknown element "subjekt": did you mean "subject"?',
      },
    })
  })

  test('of a name that nobody should read back names the parent only', () => {
    const [issue] = issuesOf(observation({ code: { text: 'x', '<script>': 1 } }))
    expect(issue).toMatchObject({ expression: 'code', text: { en: 'Unknown element.' } })
  })

  test('of a code says which there are, or the nearest, and never repeats the value', () => {
    const texts = ['finale', 'SECRET'].map((status) => issuesOf(observation({ status }))[0]?.text)
    expect(texts[0]?.fr).toBe('Un code de observation-status est requis ici. Vouliez-vous dire « final » ?')
    expect(texts[1]?.en).toBe(
      'A code of observation-status is required here: registered, preliminary, final, amended, corrected, cancelled, entered-in-error, unknown.',
    )
  })

  test('says each thing wrong with a resource, up to a bound', () => {
    const wrong = observation({ status: 'x', issued: 'y', method: [], note: {} })
    expect(found(wrong)).toEqual([
      'code-invalid status',
      'value issued',
      'structure method',
      'structure note',
    ])
    expect(found(wrong, { maxIssues: 2 })).toHaveLength(2)
  })

  test('past those that are told is not looked for: each of thousands would be compared with all known names', () => {
    let isLookedAt = false
    const wrong = {
      ...observation({ a: 1, b: 1 }),
      get note() {
        isLookedAt = true
        return []
      },
    }
    expect(found(wrong, { maxIssues: 2 })).toEqual(['structure a', 'structure b'])
    expect(isLookedAt).toBe(false)
  })
})

describe('an element', () => {
  test('that is required and missing is named by its parent, a choice by its name in R4', () => {
    expect(found({ resourceType: 'Observation' })).toEqual(['required status', 'required code'])
    expect(
      found({ resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject: {} }),
    ).toEqual(['structure subject', 'required medication[x]'])
  })

  test('that is required may say why it is missing', () => {
    const _status = { extension: [{ ...extension, valueString: undefined, valueCode: 'unknown' }] }
    const { status: _, ...without } = observation()
    expect(found(JSON.parse(JSON.stringify({ ...without, _status })))).toEqual([])
  })

  test('with an id alone says nothing, and nothing stands for nothing', () => {
    expect(found(observation({ method: { id: 'x' } }))).toEqual(['structure method'])
    expect(found(observation({ note: [] }))).toEqual(['structure note'])
    expect(found(observation({ category: [{}] }))).toEqual(['structure category[0]'])
    expect(found(observation({ valueString: '' }))).toEqual(['structure valueString'])
  })

  test('of a choice has one type, an extension of its value counting as one', () => {
    expect(found(observation({ valueString: 'x', valueInteger: 1 }))).toEqual(['structure valueInteger'])
    expect(found(observation({ valueString: 'x', _valueInteger: { extension: [extension] } }))).toEqual([
      'structure valueInteger',
    ])
    expect(found(observation({ valueString: 'x', _valueString: { extension: [extension] } }))).toEqual([])
    expect(found(observation({ valueCode: 'x' }))).toEqual(['structure valueCode'])
  })

  test('is null only where its extensions have the same place in another list', () => {
    const name = (members: JsonObject) => ({ resourceType: 'Patient', name: [members] })
    const given = { extension: [extension] }
    expect(found(name({ given: ['a', null], _given: [null, given] }))).toEqual([])
    expect(found(name({ _given: [given] }))).toEqual([])
    expect(found(name({ given: ['a', null] }))).toEqual(['structure name[0].given[1]'])
    expect(found(name({ given: [null], _given: [null] }))).toEqual(['structure name[0].given[0]'])
    expect(found(name({ given: ['a'], _given: [null, null] }))).toEqual(['structure name[0].given[1]'])
    expect(found({ resourceType: 'Patient', gender: null })).toEqual(['structure gender'])
    expect(found({ resourceType: 'Patient', name: [null] })).toEqual(['structure name[0]'])
  })

  test('beside a value has an id and extensions, nothing else, and only beside a simple value', () => {
    const patient = (members: JsonObject) => ({ resourceType: 'Patient', ...members })
    expect(found(patient({ _birthDate: { id: 'x' } }))).toEqual([])
    expect(found(patient({ _birthDate: { extension: [extension], value: '2024' } }))).toEqual([
      'structure birthDate.value',
    ])
    expect(found(patient({ _birthDate: {} }))).toEqual(['structure birthDate'])
    expect(found(patient({ _name: [{ id: 'x' }] }))).toEqual(['structure _name'])
  })
})

describe('an extension', () => {
  const of = (one: JsonObject) => found(observation({ extension: [one] }))
  test('has a URL, and either a value or extensions', () => {
    expect(of(extension)).toEqual([])
    expect(of({ url: 'urn:x', extension: [extension] })).toEqual([])
    expect(of({ valueString: 'x' })).toEqual(['required extension[0].url'])
    expect(of({ url: 'urn:x' })).toEqual(['structure extension[0]'])
    expect(of({ ...extension, extension: [extension] })).toEqual(['structure extension[0]'])
    expect(of({ url: 'urn:x', valueQuantity: { value: 1 } })).toEqual([])
    expect(of({ url: 'urn:x', valueNothing: 1 })).toEqual([
      'structure extension[0].valueNothing',
      'structure extension[0]',
    ])
  })

  test('that changes the meaning is taken, too', () => {
    expect(found(observation({ modifierExtension: [extension] }))).toEqual([])
  })
})

describe('a required binding', () => {
  const condition = (clinicalStatus: JsonObject) =>
    found({ resourceType: 'Condition', subject: { display: 'x' }, clinicalStatus })
  const system = 'http://terminology.hl7.org/CodeSystem/condition-clinical'
  test('of a concept is met by one of its codings, in its system', () => {
    expect(
      condition({
        coding: [
          { system: 'urn:local', code: '1' },
          { system, code: 'active' },
        ],
      }),
    ).toEqual([])
    expect(condition({ coding: [{ system: 'urn:local', code: 'active' }] })).toEqual([
      'code-invalid clinicalStatus',
    ])
    expect(condition({ coding: [{ code: 'active' }] })).toEqual(['code-invalid clinicalStatus'])
    expect(condition({ text: 'active' })).toEqual(['code-invalid clinicalStatus'])
  })

  test('is the only one that counts', () => {
    expect(found(observation({ category: [{ coding: [{ system: 'urn:local', code: '?' }] }] }))).toEqual([])
  })
})

describe('a reference', () => {
  const subject = (reference: JsonObject, members: JsonObject = {}, options = {}) =>
    found(observation({ encounter: reference, ...members }), options)

  test.each([
    [{ reference: 'Encounter/1' }, []],
    [{ reference: 'Encounter/1/_history/2' }, []],
    [{ reference: 'https://other.example/fhir/Encounter/1' }, []],
    [{ reference: 'https://other.example/some/page' }, []],
    [{ reference: 'Encounter?identifier=a|b' }, []],
    [{ reference: 'urn:uuid:00000000-0000-4000-8000-000000000000' }, []],
    [{ type: 'Encounter', identifier: { value: 'x' } }, []],
    [{ type: 'http://hl7.org/fhir/StructureDefinition/Encounter', display: 'x' }, []],
    [{ display: 'x' }, []],
    [{ reference: 'Patient/1' }, ['value encounter.reference']],
    [{ reference: 'Patient/1/_history/2' }, ['value encounter.reference']],
    [{ reference: 'https://other.example/fhir/Patient/1' }, ['value encounter.reference']],
    [{ reference: 'Patient?identifier=a|b' }, ['value encounter.reference']],
    [{ type: 'Patient', identifier: { value: 'x' } }, ['value encounter.type']],
    [{ reference: 'Encounter/1', type: 'Patient' }, ['value encounter.type']],
  ])('%j to an encounter', (reference, issues) => {
    expect(subject(reference)).toEqual(issues)
  })

  test('to an entry of the bundle is to what that is', () => {
    const options = { typeOf: () => 'Patient' }
    expect(subject({ reference: 'urn:uuid:x' }, {}, options)).toEqual(['value encounter.reference'])
  })

  test('to a contained resource is to one that is there, and of a type that fits', () => {
    const contained = [{ resourceType: 'Patient', id: 'p' }]
    expect(subject({ reference: '#p' }, { contained })).toEqual(['value encounter.reference'])
    expect(subject({ reference: '#e' }, { contained })).toEqual(['not-found encounter.reference'])
    expect(found(observation({ contained, subject: { reference: '#p' } }))).toEqual([])
  })
})

describe('resources inside', () => {
  const patient = (members: JsonObject = {}) => ({ resourceType: 'Patient', id: 'p', ...members })

  test('contained ones contain none, have no version and no label, and an id of their own', () => {
    const contained = [
      patient({ contained: [patient()] }),
      patient({ id: 'q', meta: { versionId: '1', security: [{ code: 'R' }], source: 'urn:x' } }),
      patient({ id: 'q' }),
    ]
    expect(found(observation({ contained }))).toEqual([
      'duplicate contained[2].id',
      'structure contained[0].contained',
      'structure contained[1].meta.versionId',
      'structure contained[1].meta.security',
    ])
  })

  test('are of a type of R4, wherever they stand', () => {
    expect(found(observation({ contained: [{ resourceType: 'Patiant' }] }))).toEqual([
      'value contained[0].resourceType',
    ])
    expect(found(observation({ contained: [{ id: 'p' }] }))).toEqual(['required contained[0].resourceType'])
    expect(
      found({
        resourceType: 'Parameters',
        parameter: [{ name: 'x', resource: { resourceType: 'Resource' } }],
      }),
    ).toEqual(['value parameter[0].resource.resourceType'])
    expect(
      found({
        resourceType: 'Bundle',
        type: 'collection',
        entry: [{ resource: observation({ status: '?' }) }],
      }),
    ).toEqual(['code-invalid entry[0].resource.status'])
  })

  test('of a Bundle name its entries, not those around it', () => {
    const entry = [{ resource: observation({ encounter: { reference: 'urn:uuid:x' } }) }]
    expect(found({ resourceType: 'Bundle', type: 'document', entry }, { typeOf: () => 'Patient' })).toEqual(
      [],
    )
  })

  test('`#` is the resource itself', () => {
    const contained = [observation({ id: 'o', encounter: { reference: '#' } })]
    expect(found(patient({ contained }))).toEqual(['value contained[0].encounter.reference'])
    const inner = [observation({ id: 'o', subject: { reference: '#' } })]
    expect(found(patient({ contained: inner }))).toEqual([])
  })

  test('an element called resourceType is none but where R4 has it', () => {
    expect(found(observation({ code: { text: 'x', resourceType: 'CodeableConcept' } }))).toEqual([
      'structure code.resourceType',
    ])
    expect(
      found({
        resourceType: 'ExampleScenario',
        status: 'draft',
        instance: [{ resourceId: 'x', resourceType: 'Patient' }],
      }),
    ).toEqual([])
  })
})
