import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  baseOfFullUrl,
  findReferences,
  type ReferenceScope,
  replaceReferences,
  resolveReference,
} from '../../../src/fhir/references.ts'

const scope: ReferenceScope = {
  entryByFullUrl: new Map([
    ['urn:uuid:0', 0],
    ['http://emr.example/fhir/Patient/1', 1],
  ]),
  entryByTypeAndId: new Map([['Patient/2', 2]]),
  entriesByIdentifier: new Map([
    ['Practitioner?urn:npi|9', [3]],
    ['Practitioner?urn:npi|8', [3, 4]],
  ]),
  identitySystems: ['urn:accession'],
  baseUrl: 'https://dossier.example/fhir/',
  isServerId: (_, id) => id === 'ours',
}
const resolve = (text: string, base: string | null = null) => resolveReference(text, base, scope)

describe('a reference', () => {
  test.each([
    ['#med1', { kind: 'kept', text: '#med1' }],
    ['urn:uuid:0', { kind: 'entry', index: 0 }],
    ['http://emr.example/fhir/Patient/1', { kind: 'entry', index: 1 }],
    ['http://emr.example/fhir/Patient/1/_history/4', { kind: 'entry', index: 1 }],
    ['Patient/2', { kind: 'entry', index: 2 }],
    ['Patient/2/_history/7', { kind: 'entry', index: 2 }],
    ['Patient/elsewhere', { kind: 'source', type: 'Patient', sourceKey: 'elsewhere' }],
    ['Patient/ours', { kind: 'kept', text: 'Patient/ours' }],
    ['Patient/ours/_history/3', { kind: 'kept', text: 'Patient/ours' }],
    ['https://dossier.example/fhir/Patient/ours', { kind: 'kept', text: 'Patient/ours' }],
    ['https://other.example/fhir/Patient/5', { kind: 'kept', text: 'https://other.example/fhir/Patient/5' }],
    ['Practitioner?identifier=urn:npi|9', { kind: 'entry', index: 3 }],
    ['Practitioner?identifier=urn%3Anpi%7C9', { kind: 'entry', index: 3 }],
    [
      'DiagnosticReport?identifier=urn:accession|A1',
      { kind: 'source', type: 'DiagnosticReport', sourceKey: 'urn:accession|A1' },
    ],
    ['urn:uuid:9', { kind: 'unresolved', why: 'urn-not-in-bundle' }],
    ['Practitioner?identifier=urn:npi|8', { kind: 'unresolved', why: 'condition-ambiguous' }],
    ['Practitioner?identifier=urn:npi|7', { kind: 'unresolved', why: 'condition-not-resolvable' }],
    ['Practitioner?name=x', { kind: 'unresolved', why: 'condition-not-resolvable' }],
    ['javascript:alert(1)', { kind: 'unresolved', why: 'scheme-not-allowed' }],
    ['ftp://other.example/Patient/5', { kind: 'unresolved', why: 'scheme-not-allowed' }],
    ['Foo/1', { kind: 'unresolved', why: 'not-a-reference' }],
    ['Patient', { kind: 'unresolved', why: 'not-a-reference' }],
    ['', { kind: 'unresolved', why: 'not-a-reference' }],
  ])('%s', (text, target) => {
    expect(resolve(text)).toEqual(target)
  })

  test('is looked for beside the entry that holds it first', () => {
    const base = baseOfFullUrl('http://emr.example/fhir/Observation/7')
    expect(resolve('Patient/1', base)).toEqual({ kind: 'entry', index: 1 })
    expect(resolve('Patient/1')).toEqual({ kind: 'source', type: 'Patient', sourceKey: '1' })
    expect(baseOfFullUrl('urn:uuid:1')).toBeNull()
  })
})

describe('the references of a resource', () => {
  const resource = {
    resourceType: 'Observation',
    subject: { reference: 'a' },
    contained: [{ resourceType: 'Device', patient: { reference: 'b' } }],
    performer: [{ reference: 'c', display: 'C' }, { display: 'no reference' }],
    note: [{ text: 'reference' }],
  }

  test('are found wherever they stand, with their place', () => {
    expect(findReferences(resource)).toEqual([
      { text: 'a', path: 'subject.reference' },
      { text: 'b', path: 'contained[0].patient.reference' },
      { text: 'c', path: 'performer[0].reference' },
    ])
  })

  test('those of a bundle inside are its own', () => {
    const inner = { resourceType: 'Bundle', entry: [{ resource: resource }] }
    expect(findReferences(inner)).toEqual([])
    expect(replaceReferences({ resourceType: 'Parameters', parameter: [{ resource: inner }] }, [])).toEqual({
      resourceType: 'Parameters',
      parameter: [{ resource: inner }],
    })
  })

  test('are replaced without touching the original or anything else', () => {
    const before = structuredClone(resource)
    const replaced = replaceReferences(resource, ['x', 'y', 'z'])
    expect(resource).toEqual(before)
    expect(findReferences(replaced).map(({ text }) => text)).toEqual(['x', 'y', 'z'])
    expect(replaceReferences(replaced, ['a', 'b', 'c'])).toEqual(resource)
  })

  test('replacing with the same texts gives the same resource, whatever it is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const texts = findReferences(value as never).map(({ text }) => text)
        expect(replaceReferences(value as never, texts)).toEqual(value)
      }),
    )
  })
})
