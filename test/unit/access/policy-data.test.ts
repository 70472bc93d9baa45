import { describe, expect, it } from 'vitest'
import { clearanceOf, openedDomains, type PolicyData, readPolicy } from '../../../src/access/policy-data.ts'

const nothing = readPolicy([])
const cell = (role: string, facilityType: string, purpose: string) => ({ role, facilityType, purpose })
const opening = (...domains: PolicyData['domains']): ReadonlySet<string> =>
  openedDomains({ ...nothing, domains }, 'physician', 'hospital', 'TREAT')
const clearing = (...clearances: PolicyData['clearances']) =>
  clearanceOf({ ...nothing, clearances }, 'physician', 'hospital', 'TREAT')

/** Every cell that is of the caller, and how each of its three names may fail to be. */
const ofCaller = ['physician', '*'].flatMap((role) =>
  ['hospital', '*'].flatMap((type) => ['TREAT', '*'].map((purpose) => cell(role, type, purpose))),
)
const ofOthers = [
  cell('nurse', '*', '*'),
  cell('*', 'pharmacy', '*'),
  cell('*', '*', 'ETREAT'),
  cell('', '*', '*'),
  cell('*', '', '*'),
  cell('*', '*', ''),
]

describe('domains', () => {
  it.each(ofCaller)('are opened by a cell of $role, $facilityType and $purpose', (one) => {
    expect(opening({ ...one, domain: 'imaging' })).toEqual(new Set(['imaging']))
  })

  it.each(ofOthers)('are not opened by one of $role, $facilityType and $purpose', (one) => {
    expect(opening({ ...one, domain: 'imaging' })).toEqual(new Set())
  })

  it('are those of all cells together', () => {
    const [one, ...others] = ofCaller.map((of, i) => ({ ...of, domain: `domain-${i % 3}` }))
    expect(one && opening(one, ...others)).toEqual(new Set(['domain-0', 'domain-1', 'domain-2']))
  })
})

describe('the clearance', () => {
  it.each(ofCaller)('is that of a cell of $role, $facilityType and $purpose', (one) => {
    expect(clearing({ ...one, own: 'V', elsewhere: 'M' })).toEqual({ own: 'V', elsewhere: 'M' })
  })

  it.each(ofOthers)('is not that of one of $role, $facilityType and $purpose', (one) => {
    expect(clearing({ ...one, own: 'V', elsewhere: 'V' })).toEqual({ own: 'N', elsewhere: 'N' })
  })

  it('is the most of several, label by label', () => {
    const any = cell('*', '*', '*')
    for (const [i, label] of [...'ULMNRV'].entries())
      expect(
        clearing(
          { ...any, own: label, elsewhere: 'U' },
          { ...any, own: 'U', elsewhere: label },
          ...[...'ULMNRV'.slice(0, i)].map((less) => ({ ...any, own: less, elsewhere: less })),
        ),
      ).toEqual({ own: label, elsewhere: label })
  })

  it('of cells whose labels are none is the usual one', () => {
    expect(clearing({ ...cell('*', '*', '*'), own: 'X', elsewhere: 'X' })).toEqual({
      own: 'N',
      elsewhere: 'N',
    })
  })
})

describe('what the statement answers', () => {
  it('is read cell by cell, and nothing is everything that is missing', () => {
    const policy = readPolicy([
      {
        data: '{"attestation-hours":24,"break-glass:restriction":1,"break-glass:refusal-total":0,"other":1}',
      },
      { data: '[["physician","*","TREAT","imaging"],[]]' },
      { data: '[["*","hospital","BTG","V","N"],[]]' },
    ])
    expect(policy).toEqual({
      settings: { ...nothing.settings, attestationHours: 24, lifted: new Set(['restriction']) },
      domains: [
        { ...cell('physician', '*', 'TREAT'), domain: 'imaging' },
        { ...cell('', '', ''), domain: '' },
      ],
      clearances: [
        { ...cell('*', 'hospital', 'BTG'), own: 'V', elsewhere: 'N' },
        { ...cell('', '', ''), own: '', elsewhere: '' },
      ],
    })
    expect(nothing).toEqual({
      settings: {
        encounterDaysAfter: 0,
        encounterOpenDays: 0,
        attestationHours: 0,
        breakGlassHours: 0,
        lifted: new Set(),
      },
      domains: [],
      clearances: [],
    })
  })
})
