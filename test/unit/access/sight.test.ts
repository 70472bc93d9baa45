import { describe, expect, it } from 'vitest'
import { isSameSight, sightArgs, sightOf } from '../../../src/access/sight.ts'
import type { LiftableKind, Settings } from '../../../src/access/subject.ts'
import { facility, otherCallers, provider } from './cases.ts'

const settings = (...lifted: readonly LiftableKind[]): Settings => ({
  encounterDaysAfter: 0,
  encounterOpenDays: 0,
  attestationHours: 0,
  breakGlassHours: 0,
  lifted: new Set(lifted),
})
const ofProvider = {
  kind: 'provider',
  facility: 'hospital',
  organisation: 'network',
  professional: 'tremblay',
  role: 'physician',
  domains: ' directory identity laboratory ',
  own: 4,
  elsewhere: 3,
  lifted: '',
} as const

describe('what a caller may see', () => {
  it('of a provider is what the filter binds', () => {
    expect(sightOf(provider, settings('restriction'))).toEqual(ofProvider)
    expect(sightArgs(ofProvider)).toEqual({
      caller_facility: 'hospital',
      caller_organisation: 'network',
      caller_professional: 'tremblay',
      caller_role: 'physician',
      domains: ' directory identity laboratory ',
      own_rank: 4,
      elsewhere_rank: 3,
      lifted: '',
    })
  })

  it.each(['BTG', 'ETREAT'])('for the purpose %s names what an emergency lifts', (purpose) => {
    const sight = sightOf({ ...provider, purpose }, settings('restriction', 'relationship'))
    expect(sight?.lifted).toBe(' relationship restriction ')
  })

  it('of a facility system is its facility, and of anybody else nothing', () => {
    for (const caller of otherCallers)
      expect(sightOf(caller, settings('restriction'))).toEqual(
        caller.kind === 'facility-system'
          ? {
              ...{ kind: 'facility-system', facility: facility.id, organisation: facility.organisation },
              ...{ professional: '', role: '', domains: '', own: 0, elsewhere: 0, lifted: '' },
            }
          : null,
      )
    expect(new Set(Object.values(sightArgs(null)))).toEqual(new Set([null]))
  })

  it('is the same when nothing of it differs, in whatever order the registry says it', () => {
    const domains = (...names: readonly string[]) =>
      sightOf({ ...provider, domains: new Set(names) }, settings())
    expect(isSameSight(domains('imaging', 'laboratory'), domains('laboratory', 'imaging', 'identity'))).toBe(
      true,
    )
    expect(isSameSight(domains('imaging'), domains('laboratory'))).toBe(false)
    expect(isSameSight(null, null)).toBe(true)
    expect(isSameSight(null, ofProvider)).toBe(false)
    for (const name of Object.keys(ofProvider))
      expect(isSameSight(ofProvider, { ...ofProvider, [name]: 'another' })).toBe(false)
  })
})
