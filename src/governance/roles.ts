/** `POST /access/roles…`: who acts as what, where; granted, ended and certified every year by the facility's access managers. */
import * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { ok, type Result } from '../result.ts'
import type { Row, Statement } from '../store/ports.ts'
import { boolean } from '../store/rows.ts'
import { jsonBody } from './body.ts'
import { code, noInput, registryId } from './fields.ts'
import { conflict, invalid, neverRegistered, unknown } from './refusals.ts'
import { type Applied, applyChange, changed, isBegun, isEnded, readAsked } from './registry-change.ts'
import { isRegistrar, type Registrar, type RoleAction, type Seat, wayOf } from './role-rules.ts'
import {
  askOutcome,
  askRole,
  beginRole,
  finishRole,
  type RoleRequest,
  renewRole,
  roleOutcome,
} from './role-sql.ts'

const body = z.strictObject({
  professional: registryId,
  role: code,
  /** Absent: a manager's own; of officers and operators there is none. */
  facility: registryId.nullable().optional(),
  /** Of a privacy officer; absent: of the whole record. */
  organisation: registryId.nullable().optional(),
})
type Body = z.infer<typeof body>

type Changing = OperationContext<object, object>

const change = (action: RoleAction, path: string): Operation<object, object> => ({
  name: `${action}-role`,
  method: 'POST',
  path,
  action: 'policy',
  callers: ['operator', 'access-manager'],
  scope: () => ({ type: '*', interaction: 'u' }),
  param: noInput,
  query: noInput,
  bodyTypes: jsonBody,
  bodies: [body],
  handle: (ctx) => changeRole(ctx, action),
})

export const grantRole = change('grant', '/access/roles')
export const endRole = change('end', '/access/roles/end')
export const certifyRole = change('certify', '/access/roles/certify')

async function changeRole(ctx: Changing, action: RoleAction): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, body)
  if (!read.ok) return read
  const { caller, asked } = read.value
  if (!isRegistrar(caller)) return forbidden('operation-not-for-caller')
  const seat = seatOf(caller, asked)
  if (!seat.ok) return seat
  const way = wayOf(caller, action, seat.value)
  if (!way.ok) return way
  return way.value === 'by-request' && action !== 'certify'
    ? await ask(ctx, caller, action, seat.value)
    : await apply(ctx, caller, action, seat.value)
}

/** Where the role holds: offices of the whole record at no facility, every other role at one. */
function seatOf(caller: Registrar, asked: Body): Result<Seat, Refusal> {
  const isAtFacility = asked.role !== 'privacy-officer' && asked.role !== 'operator'
  const own = caller.kind === 'access-manager' && isAtFacility ? caller.facility.id : ''
  const seat = {
    professional: asked.professional,
    role: asked.role,
    facility: asked.facility ?? own,
    organisation: asked.organisation ?? '',
  }
  if (isAtFacility && seat.facility === '')
    return misplaced('facility', 'est requis pour ce rôle', 'is required for this role')
  if (!isAtFacility && seat.facility !== '')
    return misplaced('facility', 'n’a pas lieu pour ce rôle', 'has no place in this role')
  if (asked.role !== 'privacy-officer' && seat.organisation !== '')
    return misplaced('organisation', 'n’a pas lieu pour ce rôle', 'has no place in this role')
  return ok(seat)
}

const misplaced = (expression: string, fr: string, en: string): Result<never, Refusal> =>
  invalid(expression, `${expression} ${fr}.`, `${expression} ${en}.`)

const noteOf = (change: string, { professional, role, facility, organisation }: Seat) => ({
  change,
  professional,
  role,
  ...(facility === '' ? {} : { facility }),
  ...(organisation === '' ? {} : { organisation }),
})

const shownSeat = ({ professional, role, facility, organisation }: Seat) => ({
  professional,
  role,
  facility: facility || null,
  organisation: organisation || null,
})

const changeNames = { grant: 'role', end: 'role-ended', certify: 'role-certified' } as const

async function apply(
  ctx: Changing,
  caller: Registrar,
  action: RoleAction,
  seat: Seat,
): Promise<Result<Disclosure, Refusal>> {
  const at = new Date(ctx.now).toISOString()
  const note = noteOf(changeNames[action], seat)
  const statements: Readonly<Record<RoleAction, readonly Statement[]>> = {
    grant: [beginRole(seat, caller.professional, at)],
    end: [finishRole(seat)],
    certify: renewRole(seat, at),
  }
  const applied = await applyChange(ctx, {
    note,
    statements: statements[action],
    outcome: roleOutcome(seat),
  })
  if (!applied.ok) return applied
  const isChanged = action === 'end' ? isEnded(applied.value) : isBegun(applied.value)
  const refused = isChanged ? null : refusalOf(action, applied.value)
  if (refused) return refused
  const { row } = applied.value
  const role = {
    ...shownSeat(seat),
    held: row.row !== null && row.valid_to === null,
    grantedBy: row.granted_by || null,
    certifiedAt: row.certified_at || null,
  }
  return ok(changed({ caller, applied: applied.value, changed: isChanged, note, body: { role } }))
}

async function ask(
  ctx: Changing,
  caller: Registrar,
  action: 'grant' | 'end',
  seat: Seat,
): Promise<Result<Disclosure, Refusal>> {
  const request: RoleRequest = {
    ...seat,
    id: ctx.requestId,
    action,
    requestedBy: caller.professional,
    requestedAt: new Date(ctx.now).toISOString(),
  }
  const note = { ...noteOf('role-requested', seat), action }
  const applied = await applyChange(ctx, {
    note,
    statements: [askRole(request)],
    outcome: askOutcome(request),
  })
  if (!applied.ok) return applied
  const { row, writeClock } = applied.value
  if (row.request === null) {
    // Not asked: there is nothing to ask for, or it rests on nothing.
    const refused = refusalOf(action, applied.value)
    if (refused) return refused
    return ok(
      changed({ caller, applied: applied.value, changed: false, note, body: { role: shownSeat(seat) } }),
    )
  }
  return ok(
    changed({
      caller,
      applied: applied.value,
      changed: Number(row.asked_from) === writeClock,
      note: { ...note, request: String(row.request) },
      status: 202,
      body: {
        request: {
          id: row.request,
          action,
          ...shownSeat(seat),
          requestedBy: row.requested_by,
          requestedAt: row.requested_at,
        },
      },
    }),
  )
}

/** Why nothing changed; null: it is so already. */
function refusalOf(action: RoleAction, { row }: Applied): Result<never, Refusal> | null {
  const isHeld = row.row !== null && row.valid_to === null
  if (action === 'end') return row.row === null ? neverRegistered('role') : null
  if (isHeld) return null
  return action === 'certify' ? neverRegistered('role') : ungrantable(row)
}

/** What a grant would rest on and does not; null: nothing is missing. */
export function ungrantable(row: Row): Result<never, Refusal> | null {
  if (!boolean(row.is_professional_known)) return unknown('professional')
  if (!boolean(row.is_facility_known)) return unknown('facility')
  if (!boolean(row.is_organisation_known)) return unknown('organisation')
  if (!boolean(row.is_role_known)) return unknown('role')
  if (boolean(row.has_one_login)) return null
  return conflict(
    'professional',
    'Cette personne a plusieurs comptes : une charge n’en admet qu’un.',
    'This person has several logins: an office admits one.',
  )
}
