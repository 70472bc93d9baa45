/** What the tokens of the local provider claim (IHE IUA), and how scopes choose among several roles. */
import { describe, expect, test } from 'vitest'
import { iuaClaims, scopes } from '../../../../src/local/identity/claims.ts'
import {
  facilities,
  professionals,
  purposeSystem,
  roleSystem,
} from '../../../../src/local/sample/directory.ts'

describe('IUA claims', () => {
  test('carry name, organisation, facility, role and purpose of a person', () => {
    expect(iuaClaims('roy', ['user/*.rs', 'purpose_of_use=TREAT'])).toEqual({
      ok: true,
      value: {
        subject_name: 'François Roy',
        subject_organization: 'Pharmacies Laurier inc.',
        subject_organization_id: 'https://dossier.example/facility/pharmacie-laurier',
        subject_role: [{ system: roleSystem, code: 'pharmacist' }],
        purpose_of_use: [{ system: purposeSystem, code: 'TREAT' }],
      },
    })
  })

  test('take the first role of somebody who holds several, unless a scope names the facility', () => {
    const facility = (scope: string[]) => {
      const claims = iuaClaims('gauthier', scope)
      return claims.ok ? claims.value.subject_organization_id : claims.error
    }
    expect(facility([])).toBe('https://dossier.example/facility/clinique-saint-roch')
    expect(facility(['facility=hopital-mont-royal'])).toBe(
      'https://dossier.example/facility/hopital-mont-royal',
    )
  })

  test('are refused for a facility or a role that the person does not have', () => {
    expect(iuaClaims('gauthier', ['facility=pharmacie-laurier']).ok).toBe(false)
    expect(iuaClaims('cote', ['subject_role=physician']).ok).toBe(false)
    expect(iuaClaims('cote', ['subject_role=nurse']).ok).toBe(true)
  })

  test('name no facility for the privacy officer of the whole record', () => {
    const claims = iuaClaims('bouchard', [])
    expect(claims.ok && claims.value.subject_organization_id).toBeUndefined()
    expect(claims.ok && claims.value.subject_role).toEqual([{ system: roleSystem, code: 'privacy-officer' }])
  })

  test('speak for the facility of a facility system, and for nobody unknown', () => {
    const claims = iuaClaims('system-hopital-cap-diamant', [])
    expect(claims.ok && claims.value.subject_organization_id).toBe(
      'https://dossier.example/facility/hopital-cap-diamant',
    )
    expect(claims.ok && claims.value.subject_role).toBeUndefined()
    expect(iuaClaims('dossier-cli', []).ok).toBe(false)
    expect(iuaClaims('nobody', []).ok).toBe(false)
  })

  test('can be asked for by scopes that are legal in OAuth (RFC 6749, 3.3)', () => {
    for (const scope of scopes) expect(scope).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/)
  })
})

describe('the sample directory', () => {
  test('names only facilities that exist', () => {
    const known = new Set(['', ...facilities.map(({ id }) => id)])
    for (const { roles } of professionals) for (const { facility } of roles) expect(known).toContain(facility)
  })
})
