import { describe, expect, test } from 'vitest'
import { parseSearch, type SearchQuery } from '../../../src/fhir/search.ts'
import { limits } from '../../../src/limits.ts'

type RawQuery = Readonly<Record<string, string | readonly string[]>>

const parameters = (raw: RawQuery): URLSearchParams =>
  new URLSearchParams(
    Object.entries(raw).flatMap(([name, value]) => [value].flat().map((text) => [name, text as string])),
  )

const options = { baseUrl: 'https://record.example/fhir/', isLenient: false }

const parsed = (type: string, raw: RawQuery) => {
  const result = parseSearch(type, parameters(raw), options)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}
const refused = (type: string, raw: RawQuery) => {
  const result = parseSearch(type, parameters(raw), options)
  return result.ok ? [] : result.error.map(({ code, expression }) => `${code} ${expression}`)
}

/** Values of the conditions on a parameter, without what says of what kind they are. */
const valuesOf = (query: SearchQuery, name: string) =>
  query.filters.flatMap((filter) =>
    filter.kind === 'match' && filter.parameter.name === name
      ? [filter.values.map(({ of: _of, ...value }) => value)]
      : [],
  )

describe('the search grammar', () => {
  test('reads person, category, code, date and count', () => {
    const query = parsed('Observation', {
      patient: 'Patient/abc',
      category: 'laboratory',
      code: 'http://loinc.org|718-7,4548-4',
      date: ['ge2024', 'lt2025-03'],
      _count: '20',
    })
    expect(query.named).toEqual({ by: 'person', person: { by: 'patient', id: 'abc' } })
    expect(valuesOf(query, 'category')).toEqual([[{ system: null, code: 'laboratory' }]])
    expect(valuesOf(query, 'code')).toEqual([
      [
        { system: 'http://loinc.org', code: '718-7' },
        { system: null, code: '4548-4' },
      ],
    ])
    expect(valuesOf(query, 'date')).toMatchObject([[{ prefix: 'ge' }], [{ prefix: 'lt' }]])
    expect(query.count).toBe(20)
  })

  test('escapes separate nothing', () => {
    expect(valuesOf(parsed('Observation', { patient: 'a', code: 'x\\,y,s\\|t|c' }), 'code')).toEqual([
      [
        { system: null, code: 'x,y' },
        { system: 's|t', code: 'c' },
      ],
    ])
  })

  test('a bar before the code means no system, after the system any code', () => {
    expect(valuesOf(parsed('Observation', { patient: 'a', code: '|c,s|' }), 'code')).toEqual([
      [
        { system: '', code: 'c' },
        { system: 's', code: null },
      ],
    ])
  })

  test('a number stands for what rounds to it', () => {
    const [[five]] = valuesOf(
      parsed('Observation', { patient: 'a', 'value-quantity': '5.40|u|mg' }),
      'value-quantity',
    ) as [[{ value: number; lo: number; hi: number; system: string; code: string }]]
    expect(five).toMatchObject({ value: 5.4, system: 'u', code: 'mg' })
    expect(five.lo).toBeCloseTo(5.395)
    expect(five.hi).toBeCloseTo(5.405)
  })

  test.each([
    [
      'a patient',
      'Observation',
      { 'subject:Patient': 'a' },
      { by: 'person', person: { by: 'patient', id: 'a' } },
    ],
    [
      'a patient by the address of this server',
      'Observation',
      { patient: 'https://record.example/fhir/Patient/a' },
      { by: 'person', person: { by: 'patient', id: 'a' } },
    ],
    [
      'a patient by identifier',
      'DocumentReference',
      { 'patient.identifier': 's|v' },
      { by: 'person', person: { by: 'identifier', system: 's', value: 'v' } },
    ],
    [
      'an encounter',
      'Procedure',
      { encounter: 'Encounter/e' },
      { by: 'person', person: { by: 'encounter', id: 'e' } },
    ],
    ['ids', 'Observation', { _id: 'a,b' }, { by: 'ids', ids: ['a', 'b'] }],
    ['an identifier', 'Observation', { identifier: 's|v' }, { by: 'identifiers', texts: ['s|v'] }],
    [
      'somebody by name',
      'Patient',
      { family: 'Tremblay' },
      { by: 'demographics', anchor: { param: 'family', text: 'Tremblay' } },
    ],
    [
      'somebody by birth date before name',
      'Patient',
      { family: 'Tremblay', birthdate: '1950-01-02' },
      { by: 'demographics', anchor: { param: 'birthdate', date: '1950-01-02' } },
    ],
    ['a type about nobody', 'Organization', { name: 'h' }, { by: 'type' }],
  ])('a search names %s', (_name, type, raw, named) => {
    expect(parsed(type, raw as RawQuery).named).toEqual(named)
  })

  test('chains and reverse chains are read with what they lead to', () => {
    const [chain, has] = parsed('Encounter', {
      patient: 'a',
      'participant:Practitioner.family': 'Roy',
      '_has:Observation:encounter:code': '718-7',
    }).filters
    expect(chain).toMatchObject({ kind: 'chain', types: ['Practitioner'] })
    expect(has).toMatchObject({ kind: 'has', types: ['Observation'], parameter: { name: 'encounter' } })
  })

  test('a lenient client is told what was not heeded', () => {
    const result = parseSearch('Observation', parameters({ patient: 'a', colour: 'red' }), {
      ...options,
      isLenient: true,
    })
    expect(result.ok && result.value.ignored).toMatchObject([{ code: 'not-supported', expression: 'colour' }])
  })

  test('a lenient client still names a patient, and writes values as they are written', () => {
    for (const raw of [{ colour: 'red' }, { patient: 'a', date: 'yesterday' }] as RawQuery[])
      expect(parseSearch('Observation', parameters(raw), { ...options, isLenient: true }).ok).toBe(false)
  })

  test('speaks the R4 names of each type', () => {
    expect(
      valuesOf(parsed('Immunization', { patient: 'a', 'vaccine-code': 'x' }), 'vaccine-code'),
    ).toHaveLength(1)
    expect(refused('Immunization', { patient: 'a', code: 'x' })).toEqual(['not-supported code'])
  })

  test('no name escapes: `__proto__`, an empty one and `constructor` are refused like any other', () => {
    const result = parseSearch(
      'Observation',
      new URLSearchParams('patient=a&__proto__=x&=y&constructor=z'),
      options,
    )
    expect(result.ok ? [] : result.error.map(({ expression }) => expression)).toEqual([
      '__proto__',
      '',
      'constructor',
    ])
  })

  test('a page is never larger than the bound', () => {
    expect(parsed('Observation', { patient: 'a', _count: '999999' }).count).toBe(limits.maxPageRows)
  })

  test.each([
    ['unknown parameter', 'Observation', { patient: 'a', colour: 'red' }, 'not-supported colour'],
    [
      'a modifier of another type',
      'Observation',
      { patient: 'a', 'code:exact': 'x' },
      'not-supported code:exact',
    ],
    ['a modifier nobody knows', 'Observation', { patient: 'a', 'code:in': 'x' }, 'not-supported code:in'],
    ['two modifiers', 'Observation', { patient: 'a', 'code:not:not': 'x' }, 'not-supported code:not:not'],
    ['no patient', 'Observation', { code: 'x' }, 'required patient'],
    ['a chain that names nobody', 'Observation', { 'patient.family': 'x' }, 'required patient'],
    ['two patients', 'Observation', { patient: ['a', 'b'] }, 'value patient'],
    ['two patients at once', 'Observation', { patient: 'a,b' }, 'value patient'],
    ['patient twice by name', 'Observation', { patient: 'a', subject: 'b' }, 'value patient'],
    ['patient of another type', 'Observation', { patient: 'Group/a' }, 'required patient'],
    ['an encounter among several', 'Procedure', { encounter: 'a,b' }, 'required patient'],
    ['empty code', 'Observation', { patient: 'a', code: '' }, 'value code'],
    ['three parts', 'Observation', { patient: 'a', code: 'a|b|c' }, 'value code'],
    ['no date', 'Observation', { patient: 'a', date: 'yesterday' }, 'value date'],
    ['no number', 'Observation', { patient: 'a', 'value-quantity': 'five' }, 'value value-quantity'],
    [
      'half a composite',
      'Observation',
      { patient: 'a', 'code-value-quantity': 'a' },
      'value code-value-quantity',
    ],
    ['a count that is none', 'Observation', { patient: 'a', _count: '-1' }, 'value _count'],
    ['an order by nothing', 'Observation', { patient: 'a', _sort: 'colour' }, 'not-supported _sort=colour'],
    ['a sum of nothing', 'Observation', { patient: 'a', _summary: 'yes' }, 'value _summary'],
    [
      'an include of another type',
      'Observation',
      { patient: 'a', _include: 'Encounter:subject' },
      'not-supported _include=Encounter:subject',
    ],
    [
      'includes again',
      'Observation',
      { patient: 'a', '_include:iterate': 'Observation:subject' },
      'not-supported _include:iterate',
    ],
    [
      'a chain of chains',
      'Observation',
      { patient: 'a', 'encounter.location.name': 'x' },
      'not-supported encounter.location.name',
    ],
    [
      'a reverse chain of what refers to others',
      'Patient',
      { _id: 'a', '_has:Observation:encounter:code': 'x' },
      'not-supported _has:Observation:encounter:code',
    ],
    ['a patient by nothing that finds one', 'Patient', { gender: 'female' }, 'required identifier'],
    ['too many values', 'Observation', { patient: 'a', code: 'x,'.repeat(200) }, 'value code'],
    [
      'what must be compared too often, whatever the parameters',
      'Observation',
      {
        patient: 'a',
        'value-quantity': Array(15).fill('gt5').join(','),
        '_has:Observation:has-member:date': Array(6).fill('ge2020').join(','),
      },
      'value ',
    ],
    [
      'too many parameters',
      'Observation',
      { patient: 'a', code: Array(30).fill('x') },
      'too-costly undefined',
    ],
  ])('%s is refused', (_name, type, raw, issue) => {
    expect(refused(type, raw as RawQuery)).toContain(issue)
  })

  test.each(['constructor', '__proto__', 'toString'])('%s is no type', (name) => {
    for (const [parameter, value, expression] of [
      [`performer:${name}.name`, 'x', `performer:${name}.name`],
      [`_has:${name}:subject:code`, 'x', `_has:${name}:subject:code`],
      ['_include', `${name}:subject`, `_include=${name}:subject`],
      ['_revinclude', `${name}:subject`, `_revinclude=${name}:subject`],
    ] as const)
      expect(refused('Observation', { patient: 'a', [parameter]: value })).toContain(
        `not-supported ${expression}`,
      )
  })
})
