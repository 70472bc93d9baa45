import { describe, expect, it } from 'vitest'
import type { Caller, CallerKind, Facility } from '../../../src/access/caller.ts'
import { type DecidedRow, decideOperation, decideRow } from '../../../src/access/policy.ts'

const facility: Facility = {
  row: 1,
  id: 'hospital',
  uri: 'https://record.example/facility/hospital',
  name: 'Hôpital',
  organisation: 'organisation',
  type: 'hospital',
  region: 'montreal',
  log: 'montreal',
  identitySystems: [],
}
const provider: Caller = {
  kind: 'provider',
  professional: 'p',
  name: 'Dre Tremblay',
  role: 'physician',
  purpose: 'TREAT',
  facility,
  domains: new Set(['laboratory']),
}
const system: Caller = { kind: 'facility-system', client: 'system', name: 'EMR', facility }
const officer: Caller = { kind: 'privacy-officer', professional: 'b', name: 'Me Bouchard' }

const row = (changes: Partial<DecidedRow>): DecidedRow => ({
  type: 'Observation',
  domain: 'laboratory',
  facility: 'clinic',
  shared: true,
  person: 'x',
  confidentiality: 'N',
  ...changes,
})

describe('decideRow', () => {
  it.each<[string, Caller, Partial<DecidedRow>, string]>([
    ['a provider, a shared document of a domain of theirs', provider, {}, 'permit shared-domain'],
    ['a provider, another domain', provider, { domain: 'imaging' }, 'deny domain-not-permitted'],
    ['a provider, an identity', provider, { type: 'Patient', domain: 'identity' }, 'permit shared-domain'],
    [
      'a provider, the directory',
      provider,
      { type: 'Location', domain: 'directory' },
      'permit shared-domain',
    ],
    ['a provider, another facility’s local document', provider, { shared: false }, 'deny not-own-facility'],
    [
      'a provider, their own local document',
      provider,
      { shared: false, facility: 'hospital' },
      'permit own-facility',
    ],
    [
      'a provider, their own local document of another domain',
      provider,
      { shared: false, facility: 'hospital', domain: 'imaging' },
      'deny domain-not-permitted',
    ],
    [
      'a provider, another facility’s published AuditEvent',
      provider,
      { type: 'AuditEvent' },
      'deny not-own-facility',
    ],
    [
      'a provider, another facility’s published Consent',
      provider,
      { type: 'Consent' },
      'deny not-own-facility',
    ],
    [
      'a provider, their own Consent',
      provider,
      { type: 'Consent', facility: 'hospital' },
      'permit own-facility',
    ],
    [
      'a facility system, its own document',
      system,
      { facility: 'hospital', domain: 'other' },
      'permit own-facility',
    ],
    ['a facility system, another’s shared document', system, {}, 'deny not-own-facility'],
    ['a privacy officer, any document', officer, {}, 'deny operation-not-for-caller'],
  ])('%s', (_, caller, changes, expected) => {
    const { outcome, reason } = decideRow(caller, row(changes))
    expect(`${outcome} ${reason}`).toBe(expected)
  })
})

describe('decideOperation', () => {
  it('permits the kinds of caller an operation is for, and nobody else', () => {
    const kinds: readonly CallerKind[] = ['provider', 'privacy-officer']
    expect(decideOperation(provider, kinds).ok).toBe(true)
    expect(decideOperation(officer, kinds).ok).toBe(true)
    expect(decideOperation(system, kinds)).toEqual({
      ok: false,
      error: { reason: 'forbidden', cause: 'operation-not-for-caller' },
    })
    expect(decideOperation(provider, []).ok).toBe(false)
  })
})
