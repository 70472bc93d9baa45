/** What of a token's scopes is told to whoever must know that it was narrowed; and scopes that cannot be judged. */
import { describe, expect, it, test } from 'vitest'
import type { CallerKind } from '../../../src/access/caller.ts'
import { grantsFor, narrowing, parseScopes, scopeFilter } from '../../../src/access/scope.ts'
import type { SqlValue } from '../../../src/store/ports.ts'

describe('a token is narrowed', () => {
  it.each<[string, CallerKind]>([
    ['', 'provider'],
    ['openid fhirUser', 'provider'],
    ['user/*.cruds', 'provider'],
    ['user/*.* openid', 'provider'],
    ['user/Observation.r user/*.cruds', 'provider'],
    ['system/*.cruds', 'facility-system'],
    ['patient/*.cruds', 'patient'],
    ['patient/*.cruds', 'guardian'],
    ['user/*.cruds', 'privacy-officer'],
  ])('not by %j of a %s', (scope, kind) => {
    expect(narrowing(scope.split(' '), kind)).toBeNull()
  })

  it.each<[string, CallerKind]>([
    ['user/*.crud', 'provider'],
    ['user/*.read', 'provider'],
    ['user/Observation.cruds', 'provider'],
    ['user/*.cruds?category=laboratory', 'provider'],
    ['patient/*.cruds', 'provider'],
    ['system/*.cruds', 'provider'],
    ['user/*.cruds', 'facility-system'],
    ['patient/*.cruds', 'operator'],
    ['user/nonsense', 'provider'],
    ['user/Observation.r patient/*.cruds', 'provider'],
  ])('by %j of a %s', (scope, kind) => {
    expect(narrowing(scope.split(' '), kind)).toBe(scope)
  })

  it('by its SMART scopes alone, in the words of its issuer', () => {
    expect(narrowing(['openid', 'user/Observation.r', 'urn:x', 'user/Patient.rs'], 'provider')).toBe(
      'user/Observation.r user/Patient.rs',
    )
  })
})

describe('parameters', () => {
  const need = { type: 'Observation', interaction: 'r' } as const

  test.each([
    'category="x',
    'category=\\x',
    'category=é',
    'category',
    'a+b=x',
    '%ZZ=x',
    'a%5Cb=x',
    'category=%ZZ',
    'category=a+b',
    'category=',
    'category=a|',
    'category=a|b|c',
  ])('of another form grant nothing, and are no scope: %j', (query) => {
    expect(parseScopes([`user/Observation.r?${query}`])).toEqual([])
  })

  test('without a name are a scope that nothing is judged by', () => {
    const scopes = parseScopes(['user/Observation.r?=x'])
    expect(scopes).toHaveLength(1)
    expect(grantsFor(scopes, 'provider', need)).toEqual([])
  })

  test('are judged by what is stored', () => {
    const scopes = parseScopes(['patient/Observation.r?code=a|b,c&status=final&category=|d'])
    expect(grantsFor(scopes, 'provider', need)).toEqual([
      {
        inContext: true,
        parameters: [
          {
            name: 'code',
            tokens: [
              { system: 'a', code: 'b' },
              { system: null, code: 'c' },
            ],
          },
          { name: 'status', tokens: [{ system: null, code: 'final' }] },
          { name: 'category', tokens: [{ system: '', code: 'd' }] },
        ],
      },
    ])
  })

  test('with a status of a system, beside one without, grant nothing', () => {
    expect(grantsFor(parseScopes(['user/Observation.r?status=final,x|final']), 'provider', need)).toEqual([])
  })
})

describe('the filter binds', () => {
  const bound = (query: string) => {
    const args: Record<string, SqlValue> = {}
    const grants = grantsFor(parseScopes([`user/Observation.s?${query}`]), 'provider', {
      type: 'Observation',
      interaction: 's',
    })
    return { sql: scopeFilter(grants, 'd', args, null), args }
  }

  it.each([
    ['category=a|b', { scope_0_0_texts: '["a|b"]' }],
    ['category=b', { scope_0_0_codes: '["b"]' }],
    ['code=a|b,c,|d', { scope_0_0_texts: '["a|b","|d"]', scope_0_0_codes: '["c"]' }],
    ['category=b&code=a|c', { scope_0_0_codes: '["b"]', scope_0_1_texts: '["a|c"]' }],
    ['status=final,amended', { scope_0_0_codes: '["final","amended"]' }],
  ])('one list for each kind of token there is: %s', (query, args) => {
    expect(bound(query).args).toEqual(args)
  })

  it('a status, which has one code, to its column alone', () => {
    expect(bound('status=final').sql).toBe('((d.status in (select value from json_each(:scope_0_0_codes))))')
  })
})
