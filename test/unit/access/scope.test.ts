/** SMART App Launch 2.2 scopes: what they mean, section by section, and that SQL and judgement agree. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CallerKind } from '../../../src/access/caller.ts'
import {
  allowsRow,
  type Grant,
  grantsFor,
  parseScopes,
  type ScopeNeed,
  scopeFilter,
} from '../../../src/access/scope.ts'
import { limits } from '../../../src/limits.ts'
import type { SqlValue } from '../../../src/store/ports.ts'
import { openRegistry } from './registry.ts'

const letters = ['c', 'r', 'u', 'd', 's'] as const
const categories = 'http://terminology.hl7.org/CodeSystem/observation-category'

const grants = (
  scope: string,
  interaction: ScopeNeed['interaction'] = 'r',
  type = 'Observation',
  caller: CallerKind = 'provider',
) => grantsFor(parseScopes(scope === '' ? [] : scope.split(' ')), caller, { type, interaction })

/** The letters that a scope of these permissions grants. */
const granted = (permissions: string): string =>
  letters.filter((letter) => (grants(`user/Observation.${permissions}`, letter) ?? []).length > 0).join('')

const row = (changes: Partial<Parameters<typeof allowsRow>[1]> = {}) => ({
  isInContext: false,
  categories: [],
  codes: [],
  statuses: [],
  ...changes,
})

describe('permissions (Scopes for requesting FHIR Resources)', () => {
  test('are letters of cruds, each at most once and in this order: every text up to five letters', () => {
    const texts = ['']
    for (let at = 0; (texts[at] ?? '').length < 5; at++)
      for (const letter of letters) texts.push(texts[at] + letter)
    expect(texts).toHaveLength(1 + 5 + 25 + 125 + 625 + 3125)
    let valid = 0
    for (const text of texts) {
      const inOrder = [...text].every(
        (letter, i) => i === 0 || 'cruds'.indexOf(letter) > 'cruds'.indexOf(text[i - 1] ?? ''),
      )
      const isValid = text !== '' && inOrder
      if (isValid) valid++
      expect(granted(text), text).toBe(isValid ? text : '')
    }
    expect(valid).toBe(31)
  })

  test('may be those of v1: read is rs, write is cud, * is cruds', () => {
    expect(granted('read')).toBe('rs')
    expect(granted('write')).toBe('cud')
    expect(granted('*')).toBe('cruds')
    expect(grants('user/Observation.read?category=laboratory')).toEqual([])
  })

  test.each([
    '',
    'dus',
    'rr',
    'R',
    'r s',
    'x',
    'rsx',
    'reads',
    'read.write',
    'r.s',
    '**',
    '*s',
    'rs?',
    'rs&category=laboratory',
    'rs#',
    'rs\n',
    'rs\u0000',
  ])('of another form grant nothing: %j', (permissions) => {
    const scopes = parseScopes([`user/Observation.${permissions}`])
    expect(scopes).toEqual([])
    expect(grantsFor(scopes, 'provider', { type: 'Observation', interaction: 'r' })).toEqual([])
  })
})

describe('resource types', () => {
  test('are met by their own name or by *', () => {
    expect(grants('user/Observation.rs')).toHaveLength(1)
    expect(grants('user/*.rs')).toHaveLength(1)
    expect(grants('user/Condition.rs')).toEqual([])
    expect(grants('user/Condition.rs user/Observation.s')).toEqual([])
    expect(grants('user/Condition.rs user/Observation.r')).toHaveLength(1)
  })

  test.each([
    'Observations',
    'observation',
    'Obs*',
    '**',
    '',
    'toString',
    '__proto__',
    'Observation,Condition',
  ])('that R4 does not have grant nothing: %j', (type) => {
    expect(parseScopes([`user/${type}.rs`])).toEqual([])
    expect(grants(`user/${type}.rs`, 'r', type)).toEqual([])
  })

  test('of an operation that is no FHIR interaction are met by an unconditional * only', () => {
    expect(grants('user/*.rs', 'r', '*')).toHaveLength(1)
    expect(grants('user/*.s', 'r', '*')).toEqual([])
    expect(grants('user/Observation.cruds user/Patient.cruds', 'r', '*')).toEqual([])
    expect(grants('user/*.rs?category=laboratory', 'r', '*')).toEqual([])
    expect(grants('user/*.rs?status=final', 'r', '*')).toEqual([])
  })
})

describe('a token', () => {
  test.each([
    '',
    'openid fhirUser offline_access',
    'purpose_of_use=TREAT subject_role=nurse facility=hopital-mont-royal patient=aaaa',
    'https://api.example/records.read urn:example/a',
    'user system patient user.read',
  ])('without a SMART scope is not narrowed: %j', (scope) => {
    expect(grants(scope)).toBeNull()
    expect(allowsRow(grants(scope), row())).toBe(true)
  })

  test.each([
    'launch/patient',
    'users/Observation.rs',
    'User/Observation.rs',
    '/Observation.rs',
    'user/',
    'user/Observation',
    'xuser/*.cruds',
    'practitioner/*.cruds',
    'user//*.rs',
    'user/*.rs/',
    'user/Observation.rs?category',
    'user/Observation.rs?=laboratory',
    'user/Observation.rs?category=',
    'user/Öbservation.rs',
    'user/Observation.rs?category="laboratory"',
    'user/Observation.rs?category=a\\,b',
  ])('that looks like narrowed but cannot be judged is narrowed to nothing: %j', (scope) => {
    expect(grants(scope)).toEqual([])
    expect(allowsRow(grants(scope), row({ isInContext: true, categories: ['|laboratory'] }))).toBe(false)
  })

  test('keeps what its other scopes grant beside one that cannot be judged', () => {
    expect(grants('launch/patient openid user/Observation.rs user/Nonsense.cruds')).toEqual([
      { inContext: false, parameters: [] },
    ])
  })

  test('is judged by a bounded number of scopes', () => {
    const many = Array.from({ length: limits.maxScopes }, () => 'user/Condition.rs')
    expect(grants([...many, 'user/Observation.rs'].join(' '))).toEqual([])
    expect(grants([...many.slice(1), 'user/Observation.rs'].join(' '))).toHaveLength(1)
  })

  test('never has more than one of its scopes grants, whatever is added to it', () => {
    const part = fc.constantFrom(
      'user/Observation.r',
      'user/*.s',
      'patient/*.rs',
      'system/*.cruds',
      'user/Observation.dus',
      'launch/patient',
      'openid',
      'user/Observation.rs?category=a,b&status=final',
      'user/Observation.rs?nonsense=a',
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.boolean(), (scopes, isInContext) => {
        const document = row({ isInContext, categories: ['x|a'], statuses: ['final'] })
        const alone = (scope: string): boolean => allowsRow(grants(scope), document)
        const smart = scopes.filter((scope) => scope.includes('/'))
        expect(allowsRow(grants(scopes.join(' ')), document)).toBe(smart.length === 0 || smart.some(alone))
      }),
    )
  })
})

describe('the context (Patient-specific, user-level and system-level scopes)', () => {
  const counted = (caller: CallerKind): string =>
    ['user', 'system', 'patient']
      .filter((context) => (grants(`${context}/*.cruds`, 'r', 'Observation', caller) ?? []).length > 0)
      .join(' ')

  test('counts for whom it was meant only', () => {
    expect(counted('provider')).toBe('user patient')
    expect(counted('facility-system')).toBe('system')
    expect(counted('patient')).toBe('user patient')
    expect(counted('guardian')).toBe('user patient')
    expect(counted('access-manager')).toBe('user')
    expect(counted('privacy-officer')).toBe('user')
    expect(counted('operator')).toBe('user')
  })

  test('`patient` allows documents of the person in the launch context only', () => {
    const narrowed = grants('patient/*.rs')
    expect(narrowed).toEqual([{ inContext: true, parameters: [] }])
    expect(allowsRow(narrowed, row({ isInContext: true }))).toBe(true)
    expect(allowsRow(narrowed, row({ isInContext: false }))).toBe(false)
    expect(allowsRow(grants('patient/*.rs user/Observation.r'), row({ isInContext: false }))).toBe(true)
  })
})

describe('parameters (Finer-grained resource constraints using search parameters)', () => {
  const laboratory = row({ categories: [`${categories}|vital-signs`, `${categories}|laboratory`] })

  test('are met by a coding, by its code alone, and by any one of several', () => {
    const allows = (value: string, document = laboratory): boolean =>
      allowsRow(grants(`user/Observation.rs?category=${value}`), document)
    expect(allows(`${categories}|laboratory`)).toBe(true)
    expect(allows('laboratory')).toBe(true)
    expect(allows('imaging,laboratory')).toBe(true)
    expect(allows('imaging')).toBe(false)
    expect(allows('http://other.example|laboratory')).toBe(false)
    expect(allows('|laboratory')).toBe(false)
    expect(allows('|laboratory', row({ categories: ['|laboratory'] }))).toBe(true)
    expect(allows('laboratory', row())).toBe(false)
  })

  test('hold all together; several scopes hold each alone', () => {
    const both = 'user/Observation.rs?category=laboratory&code=http://loinc.org|1234-5'
    const document = row({ categories: ['x|laboratory'], codes: ['http://loinc.org|1234-5'] })
    expect(allowsRow(grants(both), document)).toBe(true)
    expect(allowsRow(grants(both), { ...document, codes: [] })).toBe(false)
    expect(allowsRow(grants(both), { ...document, categories: [] })).toBe(false)
    expect(allowsRow(grants(`${both} user/Observation.rs?status=final`), row({ statuses: ['final'] }))).toBe(
      true,
    )
    expect(allowsRow(grants('user/Observation.rs?category=laboratory&category=imaging'), laboratory)).toBe(
      false,
    )
  })

  test('may be percent-encoded', () => {
    const scope = `user/Observation.rs?category=${encodeURIComponent(`${categories}|laboratory`)}`
    expect(allowsRow(grants(scope), laboratory)).toBe(true)
    expect(allowsRow(grants('user/Observation.rs?cat%65gory=imaging%2Claboratory'), laboratory)).toBe(true)
  })

  test('go by the names that R4 gives them for the type', () => {
    const allows = (scope: string, type: string) => (grants(scope, 'r', type) ?? []).length > 0
    expect(allows('user/Encounter.rs?class=AMB', 'Encounter')).toBe(true)
    expect(allows('user/Encounter.rs?category=AMB', 'Encounter')).toBe(false)
    expect(allows('user/Immunization.rs?vaccine-code=140', 'Immunization')).toBe(true)
    expect(allows('user/Condition.rs?clinical-status=active', 'Condition')).toBe(true)
    expect(allows('user/Condition.rs?status=active', 'Condition')).toBe(false)
    expect(allows('user/*.rs?category=laboratory', 'Observation')).toBe(true)
    expect(allows('user/*.rs?category=laboratory', 'Immunization')).toBe(false)
  })

  test.each([
    'date=ge2026',
    'category:in=http://example.org/vs',
    'code:not=1234-5',
    'subject=Patient/1',
    '_id=1',
    '_security=R',
    'toString=1',
    '__proto__=1',
    'category=laboratory&date=ge2026',
    'category=laboratory&',
    '&category=laboratory',
    'category=laboratory,',
    'category=,',
    `category=${categories}|`,
    'category=|',
    'category=a|b|c',
    'category=a+b',
    'category=a%5C,b',
    'category=%00',
    'category=%',
    'category=%ff',
    'category=%zz',
    'status=http://hl7.org/fhir/observation-status|final',
    'Category=laboratory',
  ])('that cannot be judged grant nothing: %s', (query) => {
    expect(grants(`user/Observation.rs?${query}`)).toEqual([])
  })

  test('are bounded in number and in values', () => {
    const values = (count: number) =>
      grants(`user/Observation.rs?code=${Array.from({ length: count }, () => 'a').join(',')}`)
    expect(values(limits.maxSearchAlternatives)).toHaveLength(1)
    expect(values(limits.maxSearchAlternatives + 1)).toEqual([])
    const parameters = (count: number) =>
      grants(`user/Observation.rs?${Array.from({ length: count }, () => 'code=a').join('&')}`)
    expect(parameters(limits.maxSearchParameters)).toHaveLength(1)
    expect(parameters(limits.maxSearchParameters + 1)).toEqual([])
  })
})

describe('the filter', () => {
  const registry = openRegistry()
  const people = ['', 'p', 'q'] as const
  registry.insert('source_record', { id: 'record-of-p', facility: 'hospital', person: 'p', clock: 1 })
  const codings = ['', '|a', 'x|a', 'x|b', 'y|a', "x'|b", 'a', 'x|a|b', '|']
  const statuses = ['', 'final', 'draft', "o'clock"]

  const find = (filter: string, args: Record<string, SqlValue>): boolean =>
    registry.run({ sql: `select 1 from document as d where ${filter}`, args }).length === 1

  const store = (document: { person: string; category: string; code: string; status: string }): void => {
    registry.db.exec('delete from document; delete from lookup')
    registry.insert('document', {
      ...document,
      type: 'Observation',
      date_lo: '',
      id: 'one',
      source_record: 's',
      facility: 'hospital',
      domain: 'laboratory',
      date_hi: '',
      confidentiality: '',
      published: '',
      version: 1,
      clock: 1,
      hash: '',
      body: '{}',
    })
  }

  const second = (param: string, value: string, id = 'one', type = 'Observation'): void =>
    registry.insert('lookup', { type, param, value, id })

  const token = fc.record({
    system: fc.constantFrom(null, '', 'x', "x'", 'y'),
    code: fc.constantFrom('a', 'b', 'final', "o'clock"),
  })
  const coded = fc.record({
    name: fc.constantFrom('category' as const, 'code' as const),
    tokens: fc.array(token, { minLength: 1, maxLength: 3 }),
  })
  const status = fc.record({
    name: fc.constant('status' as const),
    tokens: fc.array(
      token.map(({ code }) => ({ system: null, code })),
      { minLength: 1, maxLength: 3 },
    ),
  })
  const grant: fc.Arbitrary<Grant> = fc.record({
    inContext: fc.boolean(),
    parameters: fc.array(fc.oneof(coded, status), { maxLength: 3 }),
  })
  const anyGrants = fc.option(fc.array(grant, { maxLength: 3 }), { freq: 8 })
  const document = fc.record({
    person: fc.constantFrom(...people),
    category: fc.constantFrom(...codings),
    code: fc.constantFrom(...codings),
    status: fc.constantFrom(...statuses),
  })
  const further = fc.uniqueArray(fc.constantFrom(...codings.slice(1)), { maxLength: 2 })

  test('finds what `allowsRow` allows, and nothing else', () => {
    const seen = { found: 0, hidden: 0 }
    fc.assert(
      fc.property(
        anyGrants,
        document,
        further,
        further,
        fc.constantFrom(null, 'record-of-p', 'unknown'),
        (some, stored, moreCategories, moreCodes, context) => {
          store(stored)
          for (const value of moreCategories) second('category', value)
          for (const value of moreCodes) second('code', value)
          // Codings of other documents change nothing.
          second('category', 'x|b', 'two')
          second('code', 'x|a', 'one', 'Condition')
          const args: Record<string, SqlValue> = {}
          const filter = scopeFilter(some, 'd', args, context)
          const found = find(filter, args)
          seen[found ? 'found' : 'hidden']++
          expect(found).toBe(
            allowsRow(some, {
              isInContext: stored.person === 'p' && context === 'record-of-p',
              categories: [stored.category, ...moreCategories].filter((text) => text !== ''),
              codes: [stored.code, ...moreCodes].filter((text) => text !== ''),
              statuses: [stored.status],
            }),
          )
          expect(Object.keys(args).filter((name) => !name.startsWith('scope_'))).toEqual([])
        },
      ),
      { numRuns: 2_000 },
    )
    expect(seen.found).toBeGreaterThan(100)
    expect(seen.hidden).toBeGreaterThan(100)
  })

  test('is a constant where no document needs to be looked at', () => {
    const args = {}
    expect(scopeFilter(null, 'd', args, null)).toBe('true')
    expect(scopeFilter([], 'd', args, null)).toBe('false')
    expect(scopeFilter(grants('user/Observation.rs?status=final user/*.r'), 'd', {}, null)).toBe('true')
    expect(args).toEqual({})
  })

  test('keeps every text of a token out of the statement', () => {
    const args: Record<string, SqlValue> = {}
    const hostile = "user/Observation.rs?category='%29or(1=1)--&status=%27;drop%20table%20document"
    const filter = scopeFilter(grants(hostile), 'd', args, null)
    expect(filter).not.toMatch(/1=1|drop/)
    store({ person: 'p', category: 'x|a', code: '', status: 'final' })
    expect(find(filter, args)).toBe(false)
    store({ person: 'p', category: "x|')or(1=1)--", code: '', status: "';drop table document" })
    expect(find(filter, args)).toBe(true)
  })
})
