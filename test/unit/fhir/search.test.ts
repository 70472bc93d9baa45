import { describe, expect, test } from 'vitest'
import { parseSearch } from '../../../src/fhir/search.ts'
import { limits } from '../../../src/limits.ts'

type RawQuery = Readonly<Record<string, string | readonly string[]>>

const parameters = (raw: RawQuery): URLSearchParams =>
  new URLSearchParams(
    Object.entries(raw).flatMap(([name, value]) => [value].flat().map((text) => [name, text as string])),
  )

const parsed = (type: string, raw: RawQuery) => {
  const result = parseSearch(type, parameters(raw))
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}
const refused = (type: string, raw: RawQuery) => {
  const result = parseSearch(type, parameters(raw))
  return result.ok ? [] : result.error.map(({ code, expression }) => `${code} ${expression}`)
}

describe('the search grammar', () => {
  test('reads person, category, code, date and count', () => {
    const query = parsed('Observation', {
      patient: 'Patient/abc',
      category: 'laboratory',
      code: 'http://loinc.org|718-7,4548-4',
      date: ['ge2024', 'lt2025-03'],
      _count: '20',
    })
    expect(query.patient).toBe('abc')
    expect(query.category).toEqual([[{ system: null, code: 'laboratory' }]])
    expect(query.code).toEqual([
      [
        { system: 'http://loinc.org', code: '718-7' },
        { system: null, code: '4548-4' },
      ],
    ])
    expect(query.date.map(({ prefix }) => prefix)).toEqual(['ge', 'lt'])
    expect(query.count).toBe(20)
  })

  test('escapes separate nothing', () => {
    expect(parsed('Observation', { patient: 'a', code: 'x\\,y,s\\|t|c' }).code).toEqual([
      [
        { system: null, code: 'x,y' },
        { system: 's|t', code: 'c' },
      ],
    ])
  })

  test('a bar before the code means no system, after the system any code', () => {
    expect(parsed('Observation', { patient: 'a', code: '|c,s|' }).code).toEqual([
      [
        { system: '', code: 'c' },
        { system: 's', code: null },
      ],
    ])
  })

  test('speaks the R4 names of each type', () => {
    expect(parsed('Immunization', { patient: 'a', 'vaccine-code': 'x' }).code).toHaveLength(1)
    expect(refused('Immunization', { patient: 'a', code: 'x' })).toEqual(['not-supported code'])
  })

  test('no name escapes: `__proto__`, an empty one and `constructor` are refused like any other', () => {
    const result = parseSearch('Observation', new URLSearchParams('patient=a&__proto__=x&=y&constructor=z'))
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
    [
      'unknown parameter',
      'Observation',
      { patient: 'a', 'value-quantity': '5' },
      'not-supported value-quantity',
    ],
    ['modifier', 'Observation', { patient: 'a', 'code:not': 'x' }, 'not-supported code:not'],
    ['no patient', 'Observation', { code: 'x' }, 'required patient'],
    ['two patients', 'Observation', { patient: ['a', 'b'] }, 'value patient'],
    ['patient twice by name', 'Observation', { patient: 'a', subject: 'b' }, 'value subject'],
    ['patient of another type', 'Observation', { patient: 'Group/a' }, 'value patient'],
    ['empty code', 'Observation', { patient: 'a', code: '' }, 'value code'],
    ['three parts', 'Observation', { patient: 'a', code: 'a|b|c' }, 'value code'],
    ['no date', 'Observation', { patient: 'a', date: 'yesterday' }, 'value date'],
    ['count zero', 'Observation', { patient: 'a', _count: '0' }, 'value _count'],
    ['patient by name', 'Patient', { family: 'Tremblay' }, 'not-supported family'],
    ['patient without birth date', 'Patient', { identifier: 's|v' }, 'required identifier'],
    [
      'identifier without system',
      'Patient',
      { identifier: 'v', birthdate: '2000-01-01' },
      'value identifier',
    ],
    ['too many values', 'Observation', { patient: 'a', code: 'x,'.repeat(200) }, 'value code'],
  ])('%s is refused', (_name, type, raw, issue) => {
    expect(refused(type, raw as RawQuery)).toContain(issue)
  })
})
