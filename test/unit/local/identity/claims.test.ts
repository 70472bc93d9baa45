/** What the tokens of the local provider claim (IHE IUA), and which scopes it grants. */
import { describe, expect, test } from 'vitest'
import { grantedScope, scopes, tokenClaims, usualPurpose } from '../../../../src/local/identity/claims.ts'
import {
  facilities,
  holders,
  organisations,
  professionals,
  purposeSystem,
  roleSystem,
} from '../../../../src/local/sample/directory.ts'

const claimsOf = (subject: string, ...scope: string[]) => {
  const claims = tokenClaims(subject, scope)
  if (!claims.ok) throw new Error(claims.error)
  return claims.value
}
const iua = (subject: string, ...scope: string[]) => claimsOf(subject, ...scope).extensions.ihe_iua
const role = (code: string) => [{ system: roleSystem, code }]

describe('claims', () => {
  test('carry name, organisation, facility, role and purpose of a professional, and nothing else', () => {
    expect(claimsOf('roy', 'user/*.rs', 'purpose_of_use=TREAT')).toEqual({
      extensions: {
        ihe_iua: {
          subject_name: 'François Roy',
          subject_organization: 'Pharmacies Laurier inc.',
          subject_organization_id: 'https://dossier.example/facility/pharmacie-laurier',
          subject_role: role('pharmacist'),
          purpose_of_use: [{ system: purposeSystem, code: 'TREAT' }],
        },
      },
    })
  })

  test('take the first role of somebody who holds several, unless a scope names the facility', () => {
    const facility = (...scope: string[]) => iua('gauthier', ...scope).subject_organization_id
    expect(facility()).toBe('https://dossier.example/facility/clinique-saint-roch')
    expect(facility('facility=hopital-mont-royal')).toBe(
      'https://dossier.example/facility/hopital-mont-royal',
    )
  })

  test('are refused for a facility or a role that the person does not have', () => {
    expect(tokenClaims('gauthier', ['facility=pharmacie-laurier']).ok).toBe(false)
    expect(tokenClaims('cote', ['subject_role=physician']).ok).toBe(false)
    expect(tokenClaims('cote', ['subject_role=nurse']).ok).toBe(true)
    expect(tokenClaims('belisle', ['subject_role=guardian']).ok).toBe(false)
    expect(tokenClaims('belisle', ['subject_role=physician']).ok).toBe(false)
    expect(tokenClaims('belisle', ['facility=hopital-mont-royal']).ok).toBe(false)
  })

  test('name no facility for officers and operators, and a facility for access managers', () => {
    expect(iua('bouchard')).toEqual({
      subject_name: 'Me Mélanie Bouchard',
      subject_role: role('privacy-officer'),
    })
    expect(iua('girard')).toEqual({
      subject_name: 'Me Olivier Girard',
      subject_organization: 'CIUSSS du Mont-Royal',
      subject_role: role('privacy-officer'),
    })
    expect(iua('lapointe')).toEqual({ subject_name: 'Karine Lapointe', subject_role: role('operator') })
    expect(iua('gendron')).toMatchObject({
      subject_organization_id: 'https://dossier.example/facility/hopital-mont-royal',
      subject_role: role('access-manager'),
    })
  })

  test('identify a patient by number, birth date and level of assurance, and by no facility', () => {
    expect(claimsOf('belisle', 'patient/*.cruds', 'purpose_of_use=PATRQT')).toEqual({
      extensions: {
        ihe_iua: {
          subject_name: 'Ginette Bélisle',
          subject_role: role('patient'),
          purpose_of_use: [{ system: purposeSystem, code: 'PATRQT' }],
          person_id: 'BELG58531499',
        },
      },
      birthdate: '1958-03-14',
      acr: 'urn:dossier:loa:3',
    })
    expect(claimsOf('belisle', 'acr=urn:dossier:loa:1').acr).toBe('urn:dossier:loa:1')
  })

  test('say for whom a guardian acts; a guardian is a patient, too', () => {
    const child = 'abcdefghijklmnopqrstuvwxyz'
    const guardian = claimsOf('arsenault', `patient=${child}`)
    expect(guardian).toMatchObject({ patient: child, birthdate: '1996-01-27', acr: 'urn:dossier:loa:3' })
    expect(guardian.extensions.ihe_iua).toMatchObject({
      subject_role: role('guardian'),
      person_id: 'ARSN96512799',
    })
    expect(iua('arsenault', 'subject_role=patient').subject_role).toEqual(role('patient'))
    expect(claimsOf('tremblay', `patient=${child}`).patient).toBe(child)
    expect(claimsOf('tremblay', 'acr=urn:dossier:loa:1')).not.toHaveProperty('acr')
  })

  test('speak for the facility of a facility system, and for nobody unknown', () => {
    const system = iua('system-hopital-cap-diamant')
    expect(system.subject_organization_id).toBe('https://dossier.example/facility/hopital-cap-diamant')
    expect(system.subject_role).toBeUndefined()
    expect(tokenClaims('dossier-cli', []).ok).toBe(false)
    expect(tokenClaims('nobody', []).ok).toBe(false)
  })
})

describe('scopes', () => {
  test('of the provider’s own are legal in OAuth (RFC 6749, 3.3), and granted', () => {
    for (const scope of scopes) expect(scope).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/)
    expect(grantedScope(scopes.join(' '))).toBe(scopes.join(' '))
  })

  test('of SMART are granted as they are asked for, and a launch context for any server id', () => {
    const asked = `patient/Observation.rs?category=http://example.org|laboratory user/*.cruds system/*.read patient=${'a2'.repeat(13)}`
    expect(grantedScope(asked)).toBe(asked)
  })

  test('of other kinds are dropped', () => {
    expect(
      grantedScope('purpose_of_use=FUN openid facility=nowhere patient=1 admin/*.rs user/*.rs user/'),
    ).toBe('user/*.rs')
    expect(grantedScope('')).toBe('')
  })

  test('include a purpose for everybody’s usual business', () => {
    const roles = [...professionals, ...holders].flatMap((person) =>
      person.roles.map((held) => (typeof held === 'string' ? held : held.role)),
    )
    for (const one of roles) expect(scopes).toContain(`purpose_of_use=${usualPurpose(one)}`)
    expect(['nurse', 'operator', 'privacy-officer', 'guardian'].map(usualPurpose)).toEqual([
      'TREAT',
      'HSYSADMIN',
      'HCOMPL',
      'PATRQT',
    ])
    for (const purpose of ['BTG', 'ETREAT', 'PATADMIN']) expect(scopes).toContain(`purpose_of_use=${purpose}`)
  })
})

describe('the sample directory', () => {
  test('names only facilities and organisations that exist', () => {
    const known = new Set(['', ...facilities.map(({ id }) => id)])
    const organised = new Set([undefined, ...organisations.map(({ id }) => id)])
    for (const { roles } of professionals) {
      for (const { facility, organisation } of roles) {
        expect(known).toContain(facility)
        expect(organised).toContain(organisation)
      }
    }
  })

  test('gives everybody a login of their own', () => {
    const logins = [...professionals, ...holders].map(({ login }) => login)
    expect(new Set(logins).size).toBe(logins.length)
    expect(new Set(professionals.map(({ id }) => id)).size).toBe(professionals.length)
  })
})
