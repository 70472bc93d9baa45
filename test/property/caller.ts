/** Random callers: what a token says of them, and the scopes it is narrowed to. */
import fc from 'fast-check'
import type { Presented } from '../../src/access/caller.ts'
import {
  categories,
  clinicalRoles,
  codes,
  type FacilityId,
  facilities,
  type Professional,
  professionals,
  purposes,
  statuses,
  type World,
} from './world.ts'

export const issuer = 'https://identity.example'
export const uriOf = (facility: FacilityId): string => `https://record.example/facility/${facility}`

export interface Scope {
  readonly context: 'user' | 'system' | 'patient'
  readonly type: string
  readonly interactions: string
  readonly parameter: { readonly name: string; readonly token: string } | null
}

export interface Caller {
  /** `stranger`: of a client nobody registered. `office`: a privacy officer. */
  readonly kind: 'provider' | 'system' | 'stranger' | 'office'
  readonly professional: Professional
  readonly facility: FacilityId
  readonly role: string | null
  readonly purpose: string | null
  /** Null: no SMART scope. */
  readonly scopes: readonly Scope[] | null
  /** Id of a source record. */
  readonly context: string | null
}

const scopeOf = (world: World): fc.Arbitrary<Scope> =>
  fc.record({
    context: fc.constantFrom<Scope['context'][]>('user', 'user', 'system', 'patient'),
    type: fc.constantFrom('*', '*', 'Patient', ...world.types),
    interactions: fc.constantFrom('rs', 'cruds', 'r', 's', 'read'),
    parameter: fc.option(
      fc.oneof(
        fc.record({ name: fc.constant('category'), token: fc.constantFrom(...categories, 'laboratory') }),
        fc.record({ name: fc.constant('code'), token: fc.constantFrom(...codes, '718-7') }),
        fc.record({
          name: fc.constantFrom('status', 'clinical-status'),
          token: fc.constantFrom(...statuses),
        }),
      ),
      { freq: 2 },
    ),
  })

/** Mostly somebody who holds a role. */
export function callerIn(world: World): fc.Arbitrary<Caller> {
  const ids = world.sources.map(({ id }) => id)
  return fc
    .record({
      kind: fc.constantFrom<Caller['kind'][]>(
        ...Array<Caller['kind']>(12).fill('provider'),
        ...Array<Caller['kind']>(4).fill('system'),
        'stranger',
        'office',
      ),
      held: fc.nat(world.held.length - 1),
      isAsHeld: fc.constantFrom(true, true, true, true, true, true, true, true, false),
      professional: fc.constantFrom(...professionals),
      facility: fc.constantFrom(...facilities.map(({ id }) => id)),
      role: fc.constantFrom<(string | null)[]>(null, ...clinicalRoles, 'patient', 'access-manager'),
      purpose: fc.constantFrom<(string | null)[]>(
        'TREAT',
        'TREAT',
        'TREAT',
        'TREAT',
        'ETREAT',
        'BTG',
        'ETREAT',
        'BTG',
        ...purposes,
        null,
      ),
      scopes: fc.option(fc.array(scopeOf(world), { minLength: 1, maxLength: 3 }), { freq: 1 }),
      context: fc.option(fc.constantFrom(...ids), { freq: 2 }),
    })
    .map(({ held, isAsHeld, ...rest }) => {
      const row = world.held[held]
      const narrowed = { ...rest, scopes: rest.scopes && hasPlain(rest) ? rest.scopes : null }
      return row && isAsHeld && rest.kind === 'provider'
        ? { ...narrowed, professional: row.professional, facility: row.facility, role: row.role }
        : narrowed
    })
}

/** Half of the narrowed tokens say nothing about this kind of caller: kept rare. */
const hasPlain = ({ kind, scopes }: Pick<Caller, 'kind' | 'scopes'>): boolean =>
  scopes?.some(({ context }) => (context === 'system') === (kind === 'system')) ?? false

export const scopeText = ({ context, type, interactions, parameter }: Scope): string =>
  `${context}/${type}.${interactions}${parameter ? `?${parameter.name}=${parameter.token}` : ''}`

export const presentedBy = (caller: Caller): Presented => ({
  issuer,
  issuerRow: 1,
  signedBy: 'key-1',
  subject: caller.kind === 'system' ? `system-${caller.facility}` : caller.professional,
  clientId:
    caller.kind === 'system' ? `system-${caller.facility}` : caller.kind === 'stranger' ? 'nobody' : 'app',
  jti: 'token-1',
  expiresAt: 4_000_000_000,
  name: null,
  role: caller.kind === 'office' ? 'privacy-officer' : caller.kind === 'system' ? null : caller.role,
  facilityUri: caller.kind === 'office' ? null : uriOf(caller.facility),
  purpose: caller.purpose,
  scopes: (caller.scopes ?? []).map(scopeText),
  keyThumbprint: null,
  patient: caller.context,
  personId: null,
  birthDate: null,
  assurance: null,
})
