import { describe, expect, test } from 'vitest'
import { type Environment, readConfig, readMaxSingleFailures } from '../../src/config.ts'
import { limits } from '../../src/limits.ts'

const key = Buffer.alloc(32, 1).toString('base64url')
const region = { name: 'test', log: 'qc-test', url: 'http://local', readToken: 'r', writeToken: 'w' }
const environment: Environment = {
  RECORDS_REPLICA_URL: 'http://replica',
  RECORDS_REPLICA_TOKEN: 'r',
  RECORDS_PRIMARY_URL: 'http://primary',
  RECORDS_PRIMARY_TOKEN: 'w',
  REGIONS: JSON.stringify([region]),
  AUDIT_URL: 'http://audit',
  AUDIT_READ_TOKEN: 'r',
  AUDIT_WRITE_TOKEN: 'w',
  ID_KEY: key,
  CURSOR_KEY: key,
  PUBLIC_URL: '',
  CLIENT_ADDRESS_HEADER: '',
  AUTHORIZATION_SERVER: '',
  METRICS_TOKEN: 'm',
  MAX_SINGLE_FAILURES: '',
  RATE_LIMITS: '',
  LOG_SEEDS: 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE',
  LOG_ORIGIN: 'record.example',
  LOG_POLICY: '',
}

const ratesOf = (text: string) => readConfig({ ...environment, RATE_LIMITS: text }).rates

describe('RATE_LIMITS', () => {
  const defaults = {
    address: limits.addressRate,
    client: limits.clientRate,
    professional: limits.professionalRate,
    identity: limits.identityRate,
  }

  test.each(['', '{}'])('%j leaves the defaults in force', (text) => {
    expect(ratesOf(text)).toEqual(defaults)
  })

  test('changes what it names, and nothing else', () => {
    const identity = { perSecond: 0.5, burst: 10 }
    expect(ratesOf(JSON.stringify({ identity }))).toEqual({ ...defaults, identity })
  })

  test.each([
    'no JSON',
    '[]',
    'null',
    '7',
    '{"professionals":{"perSecond":1,"burst":1}}',
    '{"__proto__":{"perSecond":1,"burst":1}}',
    '{"toString":{"perSecond":1,"burst":1}}',
    '{"client":null}',
    '{"client":{"perSecond":1}}',
    '{"client":{"perSecond":1,"burst":1,"perMinute":60}}',
    '{"client":{"perSecond":0,"burst":1}}',
    '{"client":{"perSecond":-1,"burst":1}}',
    '{"client":{"perSecond":1e400,"burst":1}}',
    '{"client":{"perSecond":"1","burst":1}}',
    '{"client":{"perSecond":1,"burst":0}}',
    '{"client":{"perSecond":1,"burst":1.5}}',
    '{"client":{"perSecond":1,"burst":1e9}}',
  ])('%s is refused by name', (text) => {
    expect(() => ratesOf(text)).toThrow(/^RATE_LIMITS\b/)
  })
})

describe('REGIONS', () => {
  const logsOf = (...logs: string[]) =>
    readConfig({
      ...environment,
      REGIONS: JSON.stringify(logs.map((log) => ({ ...region, name: log, log }))),
    }).regions.map(({ log }) => log)

  test('name logs, also by numbers', () => {
    expect(logsOf('region-1', 'region-2', 'region-10-2')).toEqual(['region-1', 'region-2', 'region-10-2'])
  })

  test('a log may not have the name that the successor of another one will have', () => {
    expect(() => logsOf('montreal-2', 'montreal')).toThrow(
      'montreal-2 is the name of a successor of montreal',
    )
  })

  test.each(['Montreal', 'a/b', 'a b', '-a', `a${'b'.repeat(56)}`])('no log is called %j', (log) => {
    expect(() => logsOf(log)).toThrow(/^REGIONS: a log cannot be called/)
  })
})

describe('MAX_SINGLE_FAILURES', () => {
  test('is the limit when it is empty or not there', () => {
    expect(readMaxSingleFailures({ MAX_SINGLE_FAILURES: '' })).toBe(limits.maxSingleFailuresPerMinute)
    expect(readMaxSingleFailures({})).toBe(limits.maxSingleFailuresPerMinute)
  })

  test('is a whole number, zero too', () => {
    expect(readMaxSingleFailures({ MAX_SINGLE_FAILURES: '0' })).toBe(0)
    expect(readMaxSingleFailures({ MAX_SINGLE_FAILURES: '5000' })).toBe(5_000)
  })

  test.each(['-1', '1.5', 'many', '1e9', ' 5'])('is refused by name as %j', (value) => {
    expect(() => readMaxSingleFailures({ MAX_SINGLE_FAILURES: value })).toThrow('MAX_SINGLE_FAILURES')
  })
})
