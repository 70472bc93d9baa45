/**
 * `/access/professionals`: which login is which person. A person may have logins at several issuers; what the person may do
 * hangs on the registry id, so that giving a login an id is giving it everything the id holds.
 */
import * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Row } from '../store/ports.ts'
import { boolean } from '../store/rows.ts'
import { after, identifier, name, registryId } from './fields.ts'
import { changeShape, listShape } from './operation-shape.ts'
import { conflict, unknown } from './refusals.ts'
import {
  type Applied,
  applyChange,
  changed,
  endRegistered,
  isBegun,
  listed,
  pageOf,
  readAsked,
} from './registry-change.ts'
import { isRegistrar, officeList, type Registrar } from './role-rules.ts'

const body = z.strictObject({
  issuer: identifier,
  subject: identifier,
  name,
  /** Absent: the id this login had before, else a new one. */
  id: registryId.optional(),
})
type Body = z.infer<typeof body>
const named = z.strictObject({ professional: registryId })
const listQuery = z.strictObject({ facility: registryId.optional(), after })
type Changing = OperationContext<object, object>

export const listProfessionals: Operation<object, z.infer<typeof listQuery>> = {
  ...listShape,
  name: 'list-professionals',
  path: '/access/professionals',
  callers: ['operator', 'access-manager'],
  query: listQuery,
  handle: list,
}

export const registerProfessional: Operation<object, object> = {
  ...changeShape,
  name: 'register-professional',
  path: '/access/professionals',
  callers: ['operator', 'access-manager'],
  bodies: [body],
  handle: register,
}

/** Everywhere, every login: a manager ends roles only. */
export const endProfessional: Operation<object, object> = {
  ...registerProfessional,
  name: 'end-professional',
  path: '/access/professionals/end',
  callers: ['operator'],
  bodies: [named],
  handle: end,
}

async function list(
  ctx: OperationContext<object, z.infer<typeof listQuery>>,
): Promise<Result<Disclosure, Refusal>> {
  let facility = ''
  const loaded = await ctx.load((asker) => {
    facility = ctx.query.facility ?? asker.facility ?? ''
    return {
      records: [
        {
          sql: `
            select p.row, p.id, p.issuer, p.subject, p.name from professional as p
            where p.valid_to is null and p.row > :after and (:facility = '' or p.id in (
              select professional from professional_role where facility = :facility and valid_to is null))
            order by p.row limit :limit`,
          args: { after: ctx.query.after, facility, limit: limits.registryPageRows + 1 },
        },
      ],
    }
  })
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (caller.kind === 'access-manager' && facility !== caller.facility.id)
    return forbidden('not-own-organisation')
  const { items, next } = pageOf(records[0] ?? [], limits.registryPageRows, shownProfessional)
  return ok(listed(caller, { professionals: items, next }))
}

const shownProfessional = ({ id, issuer, subject, name }: Row) => ({ id, issuer, subject, name })

async function register(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, body)
  if (!read.ok) return read
  const { caller, asked } = read.value
  if (!isRegistrar(caller)) return forbidden('operation-not-for-caller')
  const isOwnLogin = asked.issuer === ctx.presented.issuer && asked.subject === ctx.presented.subject
  if (isOwnLogin || asked.id === caller.professional) return forbidden('four-eyes')
  const note = {
    change: 'professional',
    issuer: asked.issuer,
    subject: asked.subject,
    ...(asked.id === undefined ? {} : { professional: asked.id }),
  }
  const applied = await applyChange(ctx, { note, ...replaceProfessional(asked, caller, ctx.requestId) })
  if (!applied.ok) return applied
  const isNew = isBegun(applied.value)
  if (!isNew) {
    const refused = refusalOf(applied.value, asked, caller)
    if (refused) return err(refused)
  }
  const professional = shownProfessional(applied.value.row)
  return ok(
    changed({
      caller,
      applied: applied.value,
      changed: isNew,
      note: { ...note, professional: String(professional.id) },
      body: { professional },
    }),
  )
}

async function end(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, named)
  if (!read.ok) return read
  const { caller, asked } = read.value
  if (!isRegistrar(caller)) return forbidden('operation-not-for-caller')
  if (asked.professional === caller.professional) return forbidden('four-eyes')
  return await endRegistered(ctx, {
    caller,
    table: 'professional',
    key: { id: asked.professional },
    note: { change: 'professional-ended', ...asked },
    named: 'professional',
    body: asked,
  })
}

/** The issuer is trusted, and vouches for a manager's organisation. */
const isIssuerFit = `exists (select 1 from issuer where issuer = :issuer and valid_to is null
  and (:caller_organisation is null or organisation in ('', :caller_organisation)))`

const holdsOffice = (id: string): string => `exists (select 1 from professional_role
  where professional = ${id} and role in (${officeList}) and valid_to is null)`

/** The login had this id before, and the person has no other login now; or its row ends in this very batch. */
const resumes = (id: string): string => `(
  exists (select 1 from professional
    where issuer = :issuer and subject = :subject and id = ${id} and valid_to = (select n from clock))
  or exists (select 1 from professional where issuer = :issuer and subject = :subject and id = ${id})
    and not exists (select 1 from professional where id = ${id} and valid_to is null))`

const isIdUsed = (id: string): string => `exists (select 1 from professional where id = ${id})`
const isLoginUsed = 'exists (select 1 from professional where issuer = :issuer and subject = :subject)'

/**
 * Whoever holds an office has one login (as `role-sql.ts` grants none to who has two): a further one would act alone where
 * two must. A manager registers new people only: whom an operator suspended stays so, and nobody gets what another holds.
 */
const mayHaveId = (id: string): string => `(
  ${id} <> :caller
  and (not ${holdsOffice(id)} or ${resumes(id)})
  and (:caller_organisation is null or not ${isLoginUsed} and not ${isIdUsed(id)}))`

const wantedId = `coalesce(:id, (select id from professional where issuer = :issuer and subject = :subject
  order by row desc limit 1), :fresh)`

function replaceProfessional({ issuer, subject, name, id }: Body, caller: Registrar, fresh: string) {
  const args = {
    issuer,
    subject,
    id: id ?? null,
    caller: caller.professional,
    caller_organisation: caller.kind === 'operator' ? null : caller.facility.organisation,
  }
  return {
    statements: [
      {
        // Another name of the same person: an operator's to correct.
        sql: `
          update professional set valid_to = (select n from clock)
          where issuer = :issuer and subject = :subject and valid_to is null and name <> :name
            and id = coalesce(:id, id) and id <> :caller and :caller_organisation is null and ${isIssuerFit}`,
        args: { ...args, name },
      },
      {
        sql: `
          insert into professional (id, issuer, subject, name, valid_from)
          select w.id, :issuer, :subject, :name, (select n from clock) from (select ${wantedId} as id) as w
          where ${isIssuerFit} and ${mayHaveId('w.id')} and not exists (
            select 1 from professional where issuer = :issuer and subject = :subject and valid_to is null)`,
        args: { ...args, name, fresh },
      },
    ],
    outcome: {
      sql: `
        select p.id, p.issuer, p.subject, p.name, p.valid_from, p.valid_to, ${isIssuerFit} as is_issuer_fit,
          exists (select 1 from issuer where issuer = :issuer and valid_to is null) as is_issuer_known,
          ${isLoginUsed} as is_login_used, w.id = :caller as is_self
        from (select ${wantedId} as id) as w
        left join professional as p on p.issuer = :issuer and p.subject = :subject and p.valid_to is null`,
      args: { ...args, fresh },
    },
  }
}

/** Why nothing was begun; null: it is registered so already. */
function refusalOf({ row }: Applied, asked: Body, caller: Registrar): Refusal | null {
  const refused = (result: Result<never, Refusal>): Refusal | null => (result.ok ? null : result.error)
  if (!boolean(row.is_issuer_known)) return refused(unknown('issuer'))
  if (!boolean(row.is_issuer_fit)) return refused(forbidden('not-own-organisation'))
  if (boolean(row.is_self)) return refused(forbidden('four-eyes'))
  if (row.id !== null) {
    if (asked.id !== undefined && asked.id !== row.id)
      return refused(
        conflict('id', `Inscrit sous l’identifiant ${row.id}.`, `Registered under the id ${row.id}.`),
      )
    if (asked.name === row.name) return null
    return refused(
      conflict(
        'name',
        `Inscrit (${row.id}) au nom de ${row.name} : un exploitant peut le corriger.`,
        `Registered (${row.id}) with the name ${row.name}: an operator may correct it.`,
      ),
    )
  }
  if (caller.kind === 'access-manager' && boolean(row.is_login_used))
    return refused(
      conflict(
        'subject',
        'Cette inscription a été close : un exploitant peut la rouvrir.',
        'This registration was ended: an operator may begin it again.',
      ),
    )
  return refused(
    conflict('id', 'Cet identifiant est celui d’une autre personne.', 'This id is another person’s.'),
  )
}
