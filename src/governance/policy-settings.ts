/** `/access/policy`: the policy as data: its numbers and switches, the role matrix, clearances, sharing rules. Operators only. */
import * as z from 'zod'
import { isAdministrative } from '../access/caller.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { closedDomains } from '../records/domain.ts'
import { ok, type Result } from '../result.ts'
import type { Row } from '../store/ports.ts'
import { boolean } from '../store/rows.ts'
import { code, codeOrAny, noInput, told } from './fields.ts'
import { changeShape, listShape } from './operation-shape.ts'
import { invalid } from './refusals.ts'
import {
  applyChange,
  changed,
  endRegistered,
  isBegun,
  listed,
  readAsked,
  replaceRow,
} from './registry-change.ts'

/** Every number of the policy, with its bounds; `break-glass:…` are switches. */
const bounds = {
  'encounter-days-after': { min: 0, max: limits.maxEncounterDays },
  'encounter-open-days': { min: 1, max: limits.maxEncounterDays },
  'attestation-hours': { min: 1, max: limits.maxAttestationHours },
  'break-glass-hours': { min: 1, max: limits.maxBreakGlassHours },
  'question-days': { min: 1, max: limits.maxQuestionDays },
  'audit-retention-days': { min: limits.minAuditRetentionDays, max: limits.maxAuditRetentionDays },
  'break-glass:relationship': { min: 0, max: 1 },
  'break-glass:restriction': { min: 0, max: 1 },
  'break-glass:refusal-before': { min: 0, max: 1 },
  'break-glass:refusal-total': { min: 0, max: 1 },
} as const
type SettingName = keyof typeof bounds
const settingNames = Object.keys(bounds) as [SettingName, ...SettingName[]]

const setting = z.strictObject({ name: z.enum(settingNames), value: z.int() })

const roleDomain = z.strictObject({
  role: codeOrAny.refine(
    (role) => !isAdministrative(role),
    told('n’est pas un rôle clinique', 'is no clinical role'),
  ),
  facilityType: codeOrAny,
  purpose: codeOrAny,
  domain: z.enum(closedDomains),
})
const endedRoleDomain = z.strictObject({
  role: codeOrAny,
  facilityType: codeOrAny,
  purpose: codeOrAny,
  domain: code,
})
type Changing = OperationContext<object, object>

export const showPolicy: Operation<object, object> = {
  ...listShape,
  name: 'show-policy',
  path: '/access/policy',
  callers: ['operator'],
  query: noInput,
  handle: show,
}

export const changeSetting: Operation<object, object> = {
  ...changeShape,
  name: 'change-policy-setting',
  path: '/access/policy/settings',
  callers: ['operator'],
  bodies: [setting],
  handle: set,
}

export const openRoleDomain: Operation<object, object> = {
  ...changeSetting,
  name: 'open-role-domain',
  path: '/access/policy/role-domains',
  bodies: [roleDomain],
  handle: open,
}

export const closeRoleDomain: Operation<object, object> = {
  ...changeSetting,
  name: 'close-role-domain',
  path: '/access/policy/role-domains/end',
  bodies: [endedRoleDomain],
  handle: close,
}

async function show(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const args = { limit: limits.maxPolicyRows }
  const loaded = await ctx.load(() => ({
    records: [
      {
        sql: `
          select role, facility_type, purpose, domain from role_domain where valid_to is null
          order by role, facility_type, purpose, domain limit :limit`,
        args,
      },
      {
        sql: `
          select role, facility_type, purpose, own, elsewhere from role_clearance where valid_to is null
          order by role, facility_type, purpose limit :limit`,
        args,
      },
      {
        sql: 'select name, value from policy_setting where valid_to is null order by name limit :limit',
        args,
      },
      {
        sql: `
          select position, domain, type, category, code, confidentiality, shared from sharing_rule
          where valid_to is null order by position limit :limit`,
        args,
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const [matrix = [], clearances = [], settings = [], rules = []] = loaded.value.records
  return ok(
    listed(loaded.value.caller, {
      settings: Object.fromEntries(settings.map(({ name, value }) => [name, value])),
      roleDomains: matrix.map(withFacilityType),
      clearances: clearances.map(withFacilityType),
      sharingRules: rules.map(({ shared, ...rule }) => ({ ...rule, shared: boolean(shared) })),
    }),
  )
}

const withFacilityType = ({ facility_type, ...row }: Row) => ({ ...row, facilityType: facility_type })

async function set(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, setting)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const { name, value } = asked
  const { min, max } = bounds[name]
  if (value < min || value > max)
    return invalid(
      'value',
      `value : de ${min} à ${max} pour ${name}.`,
      `value: ${min} to ${max} for ${name}.`,
    )
  const note = { change: 'policy-setting', name, value: String(value) }
  const applied = await applyChange(ctx, {
    note,
    statements: replaceRow('policy_setting', { name }, { value }),
    outcome: {
      sql: 'select valid_from, valid_to from policy_setting where name = :name and valid_to is null',
      args: { name },
    },
  })
  if (!applied.ok) return applied
  return ok(
    changed({
      caller,
      applied: applied.value,
      changed: isBegun(applied.value),
      note,
      body: { setting: asked },
    }),
  )
}

const cellOf = ({ role, facilityType, purpose, domain }: z.infer<typeof endedRoleDomain>) => ({
  role,
  facility_type: facilityType,
  purpose,
  domain,
})

const isCell = 'role = :role and facility_type = :facility_type and purpose = :purpose and domain = :domain'

async function open(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, roleDomain)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const note = { change: 'role-domain', ...asked }
  const args = cellOf(asked)
  const applied = await applyChange(ctx, {
    note,
    statements: [
      {
        sql: `
          insert into role_domain (role, facility_type, purpose, domain, valid_from)
          select :role, :facility_type, :purpose, :domain, (select n from clock)
          where not exists (select 1 from role_domain where ${isCell} and valid_to is null)`,
        args,
      },
    ],
    outcome: {
      sql: `select valid_from, valid_to from role_domain where ${isCell} and valid_to is null`,
      args,
    },
  })
  if (!applied.ok) return applied
  return ok(
    changed({
      caller,
      applied: applied.value,
      changed: isBegun(applied.value),
      note,
      body: { roleDomain: asked },
    }),
  )
}

async function close(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, endedRoleDomain)
  if (!read.ok) return read
  const { caller, asked } = read.value
  return await endRegistered(ctx, {
    caller,
    table: 'role_domain',
    key: cellOf(asked),
    note: { change: 'role-domain-ended', ...asked },
    named: 'domain',
    body: { roleDomain: asked },
  })
}
