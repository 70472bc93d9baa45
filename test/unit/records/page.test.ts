import { describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import type { Situation } from '../../../src/access/policy.ts'
import { limits } from '../../../src/limits.ts'
import { disclosedOf, judge, merge, type PageRow } from '../../../src/records/page.ts'

const row = (id: string, dateLo: string, rest: Partial<PageRow> = {}): PageRow => ({
  type: 'Observation',
  id,
  version: 1,
  person: 'p1',
  sourceRecord: 's1',
  facility: 'h1',
  domain: 'laboratory',
  confidentiality: 'N',
  dateLo,
  published: '2024-01-01T00:00:00.000Z',
  firstPublished: '2024-01-01T00:00:00.000Z',
  body: '{}',
  shared: true,
  keys: [dateLo],
  ...rest,
})

/** The facility cares for the person of `s1`. */
const situation: Situation = {
  subjects: [
    {
      person: 'p1',
      sourceRecords: ['s1'],
      relationships: [{ row: 1, kind: 'encounter', professional: '' }],
      rules: [],
      breakGlass: [],
    },
  ],
  settings: {
    encounterDaysAfter: 0,
    encounterOpenDays: 0,
    attestationHours: 0,
    breakGlassHours: 0,
    lifted: new Set(),
  },
  grants: null,
}

const provider: Caller = {
  kind: 'provider',
  professional: 'd1',
  name: 'D',
  role: 'physician',
  purpose: 'TREAT',
  domains: new Set(['laboratory']),
  clearance: { own: 'N', elsewhere: 'N' },
  contextPerson: null,
  facility: {
    row: 1,
    id: 'h1',
    uri: 'https://dossier.example/facility/h1',
    name: 'H',
    organisation: 'o1',
    type: 'hospital',
    region: 'r1',
    log: 'r1',
    identitySystems: [],
  },
}

describe('a page', () => {
  test('merges branches newest first, ids ascending, and says whether there is more', () => {
    const merged = merge(
      [
        [row('b', '2024'), row('d', '2022')],
        [row('a', '2024'), row('c', '2023')],
      ],
      3,
    )
    expect(merged.rows.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(merged.more).toBe(true)
  })

  test('shows a document that is in both databases once, in its newest version', () => {
    const merged = merge(
      [[row('a', '2024', { version: 1 })], [row('a', '2024', { version: 2, shared: false })]],
      5,
    )
    expect(merged.rows.map(({ version }) => version)).toEqual([2])
    expect(merged.more).toBe(false)
  })

  test('is cut short by bytes, but never empty', () => {
    const big = 'x'.repeat(limits.maxPageBytes + 1)
    const merged = merge([[row('a', '2024', { body: big }), row('b', '2023')]], 10)
    expect(merged.rows.map(({ id }) => id)).toEqual(['a'])
    expect(merged.more).toBe(true)
  })

  test('drops what the policy refuses: a shared row as a mismatch, a local one silently', () => {
    const judged = judge(provider, situation, [
      row('a', '2024'),
      row('b', '2024', { domain: 'medication' }),
      row('c', '2024', { domain: 'medication', shared: false }),
      row('d', '2024', { facility: 'h2', shared: false }),
    ])
    expect(judged.rows.map(({ id }) => id)).toEqual(['a'])
    expect(judged.mismatches).toEqual(['Observation/b/_history/1'])
    expect(judged.basis).toBe('encounter')
  })

  test('tells the log what left, by patient, and what is about no patient apart', () => {
    expect(disclosedOf([row('a', '2024'), row('b', '2024', { person: '' }), row('c', '2023')])).toEqual([
      { patient: 'p1', resources: ['Observation/a/_history/1', 'Observation/c/_history/1'] },
      { patient: null, resources: ['Observation/b/_history/1'] },
    ])
  })
})
