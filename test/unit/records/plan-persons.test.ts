/** Whom a published resource is about: by itself, by what is inside it, and when nobody can be told. */
import { beforeEach, describe, expect, test } from 'vitest'
import { serverId } from '../../../src/records/identity.ts'
import { idKey, openPublisher, type Publisher, personSystem, refusal, responses } from './publish-support.ts'

const chart = 'urn:chart'
const uuid = '00000000-0000-4000-8000-000000000001'
const id = (key: string): string => serverId(idKey, 'hopital', 'Patient', key)
const patient = (members: object = {}) => ({ resourceType: 'Patient', ...members })
const about = (subject: unknown, members: object = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  subject,
  ...members,
})
const of = (key: string) => ({ reference: `Patient/${key}` })
const put = (key: string, resource: Record<string, unknown>) => ({
  resource,
  request: { method: 'PUT', url: `${resource.resourceType}/${key}` },
})

let publisher: Publisher
beforeEach(() => {
  publisher = openPublisher([])
})
const send = (...entry: unknown[]) =>
  publisher.publish(
    { resourceType: 'Bundle', type: 'transaction', entry },
    { identitySystems: [chart], language: 'en' },
  )
/** Database and source record of the resource, and where its warning points. */
const kept = async (resource: Record<string, unknown>, ...others: unknown[]) => {
  const [response] = responses(await send(put('x', resource), ...others))
  const found = (['records', 'local'] as const).flatMap((name) =>
    publisher[name]
      .rows('select source_record from document where type = ?', resource.resourceType as string)
      .map(({ source_record }) => [name, source_record]),
  )
  return [...(found[0] ?? []), response?.outcome?.issue[0]?.expression?.[0]]
}
const conflictAt = async (resource: Record<string, unknown>, path: string) =>
  expect(refusal(await send(put('x', resource)))).toMatchObject({
    reason: 'conflict',
    issues: [{ code: 'conflict', expression: `Bundle.entry[0].resource.${path}` }],
  })

describe('what is contained', () => {
  test('about another patient is refused, however deep it is', async () => {
    const contained = [about(of('q'), { id: 'c' })]
    await conflictAt(about(of('p'), { contained }), 'contained[0].subject')
    await conflictAt(patient({ contained }), 'contained[0].subject')
    const other = patient({ id: 'm', identifier: [{ system: chart, value: '2' }] })
    await conflictAt(about(of('p'), { contained: [other] }), 'contained[0]')
    const parameter = [{ name: 'a', part: [{ name: 'b', resource: about(of('p'), { contained }) }] }]
    await conflictAt(
      { resourceType: 'Parameters', parameter },
      'parameter[0].part[0].resource.contained[0].subject',
    )
  })

  test('about the same patient is kept with it', async () => {
    expect(await kept(about(of('p'), { contained: [about(of('p'), { id: 'c' })] }))).toEqual([
      'records',
      id('p'),
      undefined,
    ])
    expect(await kept(patient({ contained: [about({ reference: '#' }, { id: 'c' })] }))).toEqual([
      'records',
      id('x'),
      undefined,
    ])
  })

  test('says whom a resource is about that names nobody itself', async () => {
    const contained = [about(of('p'), { id: 'c' })]
    expect(await kept({ resourceType: 'Provenance', contained })).toEqual(['records', id('p'), undefined])
  })
})

describe('a bundle inside', () => {
  const document = (...resources: readonly (readonly [string | null, object])[]) => ({
    resourceType: 'Bundle',
    type: 'document',
    entry: resources.map(([fullUrl, resource]) => ({ ...(fullUrl === null ? {} : { fullUrl }), resource })),
  })

  test.each([
    ['a reference', [[null, about(of('p'))]], 'p'],
    [
      'a patient with a UUID',
      [
        [`urn:uuid:${uuid}`, patient({ id: uuid })],
        [null, about({ reference: `urn:uuid:${uuid}` })],
      ],
      uuid,
    ],
    [
      'a patient with an identifier',
      [['urn:uuid:1', patient({ identifier: [{ system: chart, value: '1' }] })]],
      `${chart}|1`,
    ],
    [
      'a patient with the sender’s id',
      [
        [null, patient({ id: 'p' })],
        [null, about(of('p'))],
      ],
      'p',
    ],
  ] as const)('is about the one person named by %s', async (_, resources, key) => {
    expect(await kept(document(...resources))).toEqual(['records', id(key), undefined])
  })

  test('about several persons is refused, whether they are known or not', async () => {
    await conflictAt(document([null, about(of('p'))], [null, about(of('q'))]), 'entry[1].resource.subject')
    const foreign = (n: number) => [`https://other.example/Patient/${n}`, patient({ id: String(n) })] as const
    await conflictAt(document(foreign(1), foreign(2)), 'entry[1].resource')
    await conflictAt(document(foreign(1), [null, about(of('p'))]), 'entry[0].resource')
    await conflictAt(
      document([null, document([null, about(of('p'))], [null, about(of('q'))])]),
      'entry[0].resource.entry[1].resource.subject',
    )
  })

  test('from another server is not about the sender’s own patient of the same id', async () => {
    const base = 'https://other.example/fhir/'
    expect(
      await kept(
        document([`${base}Patient/7`, patient({ id: '7' })], [`${base}Observation/1`, about(of('7'))]),
      ),
    ).toEqual(['local', '', 'Bundle.entry[0].resource.entry[0].resource'])
  })
})

describe('a subject that is no reference to a patient here', () => {
  const byChart = { identifier: { system: chart, value: '1' } }

  test.each([
    ['an identifier of no such system', { identifier: { system: 'urn:other', value: '1' } }, {}],
    ['a person identifier', { identifier: { system: personSystem, value: '1' } }, {}],
    ['a URL of another server', { reference: 'https://other.example/Patient/1' }, {}],
    ['a contained patient', { reference: '#p' }, { contained: [patient({ id: 'p' })] }],
    ['a name', { display: 'Zoé' }, {}],
  ])('but %s is kept local, and the sender is told', async (_, subject, members) => {
    const at = 'Bundle.entry[0].resource.subject'
    expect(await kept(about(subject, members))).toEqual(['local', '', at])
    // Of any domain, and in both languages.
    const account = { resourceType: 'Account', status: 'active', subject: [subject], ...members }
    expect(await kept(account)).toEqual(['local', '', `${at}[0]`])
    const [response] = responses(await send(put('x', about(subject, members))))
    expect(response).toMatchObject({
      status: '200 OK',
      outcome: { issue: [{ severity: 'warning', code: 'not-found' }] },
    })
    expect(response?.outcome?.issue[0]?.details.text).toContain('names nobody the record knows')
  })

  test.each([
    ['an identifier of the facility', byChart, {}],
    ['the same beside a URL', { ...byChart, reference: 'https://other.example/Patient/1' }, {}],
    [
      'a contained patient with it',
      { reference: '#p' },
      { contained: [patient({ id: 'p', identifier: [byChart.identifier] })] },
    ],
  ])('but %s is its patient of that identifier', async (_, subject, members) => {
    expect(await kept(about(subject, members))).toEqual(['records', id(`${chart}|1`), undefined])
  })

  test('but an identifier that a Patient of the bundle has is that patient', async () => {
    const identifier = [{ system: personSystem, value: '1' }]
    expect(await kept(about({ identifier: identifier[0] }), put('p', patient({ identifier })))).toEqual([
      'records',
      id('p'),
      undefined,
    ])
    // Two of them: which is meant cannot be said.
    publisher = openPublisher([])
    const two = [put('p', patient({ identifier })), put('q', patient({ identifier }))]
    expect((await kept(about({ identifier: identifier[0] }), ...two)).slice(0, 2)).toEqual(['local', ''])
  })

  test.each([
    { reference: 'Group/1' },
    { display: 'a room', type: 'Location' },
    { reference: 'https://other.example/Device/1' },
  ])('but %j names no person, and nothing is to be told', async (subject) => {
    expect((await kept(about(subject))).at(-1)).toBeUndefined()
  })

  test('but a script is refused', async () => {
    expect(refusal(await send(put('x', about({ reference: 'javascript:alert(1)' }))))).toMatchObject({
      reason: 'invalid',
      issues: [{ code: 'value', expression: 'Bundle.entry[0].resource.subject.reference' }],
    })
  })
})
