/** The capability statement: valid R4, and made of what is mounted. That it tells the truth: `capability-walk.test.ts`. */
import { describe, expect, test } from 'vitest'
import { operations } from '../../../src/app.ts'
import { capabilityStatement } from '../../../src/fhir/capability.ts'
import type { Offered } from '../../../src/fhir/interactions.ts'
import { r4Validator } from './r4-definitions.ts'

const validate = r4Validator('CapabilityStatement')
const oauth = { authorize: 'https://identity.example/auth', token: 'https://identity.example/token' }
const of = (mounted: readonly Offered[], language: 'fr' | 'en' = 'en') =>
  capabilityStatement({ origin: 'https://record.example', language, operations: mounted, oauth })

const statement = of(operations)
const [rest] = statement.rest

describe('the capability statement', () => {
  test.each(['fr', 'en'] as const)('is valid R4, in %s', (language) => {
    expect(validate(of(operations, language))).toEqual([])
    expect(() => validate({ ...of(operations, language), kind: undefined })).toThrow('kind')
  })

  test('is in the language asked for', () => {
    expect(of(operations, 'fr').title).toBe('Dossier, un dossier de santé partagé')
    expect(of(operations, 'en').title).toBe('Dossier, a shared health record')
  })

  test('names each type once, each parameter once, and where tokens come from', () => {
    const types = rest?.resource.map(({ type }) => type) ?? []
    expect(new Set(types).size).toBe(types.length)
    for (const { searchParam = [] } of rest?.resource ?? [])
      expect(new Set(searchParam.map(({ name }) => name)).size).toBe(searchParam.length)
    expect(rest?.security).toMatchObject({
      cors: true,
      service: [{ coding: [{ code: 'SMART-on-FHIR' }] }],
      extension: [{ extension: [{ valueUri: oauth.token }, { valueUri: oauth.authorize }] }],
    })
  })

  test('says nothing of SMART where no authorization server is known', () => {
    const { rest } = capabilityStatement({
      origin: 'https://record.example',
      language: 'fr',
      operations,
      oauth: null,
    })
    expect(rest[0]?.security).toEqual({ cors: true, description: expect.any(String) })
  })
})

describe('what is mounted is what it says', () => {
  const any = '/fhir/:type{[A-Z][A-Za-z]*}'
  const one = `${any}/:id{[A-Za-z0-9.-]{1,64}}`
  const patient = (mounted: readonly Offered[]) =>
    of(mounted).rest[0]?.resource.find(({ type }) => type === 'Patient')

  test.each<[Offered, string]>([
    [{ method: 'GET', path: one }, 'read'],
    [{ method: 'GET', path: `${one}/_history/:version` }, 'vread'],
    [{ method: 'GET', path: `${one}/_history` }, 'history-instance'],
    [{ method: 'GET', path: `${any}/_history` }, 'history-type'],
    [{ method: 'GET', path: any }, 'search-type'],
    [{ method: 'POST', path: `${any}/_search` }, 'search-type'],
    [{ method: 'POST', path: any }, 'create'],
    [{ method: 'PUT', path: one }, 'update'],
    [{ method: 'PATCH', path: one }, 'patch'],
    [{ method: 'DELETE', path: one }, 'delete'],
  ])('%o is %s, of every type that it serves', (operation, code) => {
    expect(patient([operation])?.interaction).toEqual([{ code }])
    expect(patient([{ ...operation, serves: (type) => type !== 'Patient' }])).toBeUndefined()
    expect(patient([])).toBeUndefined()
  })

  test('conditions are those that the operation is given', () => {
    const mounted = (conditions: Offered['conditions'] = []): readonly Offered[] => [
      { method: 'GET', path: one, conditions },
      { method: 'POST', path: any, conditions },
      { method: 'PUT', path: one, conditions },
    ]
    expect(patient(mounted())).toMatchObject({
      versioning: 'versioned',
      conditionalCreate: false,
      conditionalRead: 'not-supported',
      conditionalUpdate: false,
      conditionalDelete: 'not-supported',
      updateCreate: true,
      readHistory: false,
    })
    expect(
      patient([
        ...mounted(['If-Match', 'If-None-Exist', 'If-None-Match', 'If-Modified-Since']),
        { method: 'PUT', path: any },
        { method: 'DELETE', path: any },
        { method: 'GET', path: `${one}/_history/:version` },
      ]),
    ).toMatchObject({
      versioning: 'versioned-update',
      conditionalCreate: true,
      conditionalRead: 'full-support',
      conditionalUpdate: true,
      conditionalDelete: 'single',
      readHistory: true,
    })
  })

  test('patch formats are those of the operation that patches', () => {
    expect(of(operations.filter(({ method }) => String(method) !== 'PATCH'))).not.toHaveProperty(
      'patchFormat',
    )
    expect(of([{ method: 'PATCH', path: one, bodyTypes: ['application/json-patch+json'] }])).toHaveProperty(
      'patchFormat',
      ['application/json-patch+json'],
    )
  })

  test('no operation named with a dollar sign is mounted that it does not tell of', () => {
    expect(operations.filter(({ path }) => path.startsWith('/fhir') && path.includes('/$'))).toEqual([])
  })
})
