/** `/access/issuers`: whose tokens count, signed by which keys, for whom it vouches. Operators only. */
import type { JWK } from 'jose'
import * as z from 'zod'
import { algorithmFault } from '../access/issuer-keys.ts'
import { publicKeys } from '../access/refresh-issuers.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Row, Statement } from '../store/ports.ts'
import { boolean } from '../store/rows.ts'
import { after, identifier, registryId, secureUrl, told } from './fields.ts'
import { publicKey, thumbprintOf, unfitKeys } from './issuer-key-set.ts'
import { changeShape, listShape } from './operation-shape.ts'
import { conflict, unknown } from './refusals.ts'
import { applyChange, changed, endRegistered, isBegun, listed, pageOf, readAsked } from './registry-change.ts'

const body = z
  .strictObject({
    issuer: secureUrl,
    audience: identifier,
    algorithms: z
      .array(
        z
          .string()
          .refine(
            (alg) => algorithmFault(alg) === null,
            told(
              'n’est pas un algorithme de signature à clé publique',
              'is no signature algorithm with a public key',
            ),
          ),
      )
      .min(1)
      .max(limits.maxRegistryListLength),
    jwks: z.looseObject({ keys: z.array(publicKey).min(1).max(limits.maxIssuerKeys) }).optional(),
    jwksUrl: secureUrl.optional(),
    roleSystem: identifier.nullable().default(null),
    /** Absent: it vouches for the whole record. */
    organisation: registryId.nullable().default(null),
    requiresDpop: z.boolean().default(false),
    oneTime: z.boolean().default(false),
    /** Absent: it vouches for no patients. */
    patientSystem: identifier.nullable().default(null),
    patientAcr: z.array(identifier).max(limits.maxRegistryListLength).default([]),
  })
  .refine(({ jwks, jwksUrl }) => jwks !== undefined || jwksUrl !== undefined, {
    path: ['jwks'],
    ...told('est requis, ou jwksUrl', 'is required, or jwksUrl'),
  })
type Body = z.infer<typeof body>

const named = z.strictObject({ issuer: identifier })
const listQuery = z.strictObject({ after })
type Listing = OperationContext<object, z.infer<typeof listQuery>>
type Changing = OperationContext<object, object>

export const listIssuers: Operation<object, z.infer<typeof listQuery>> = {
  ...listShape,
  name: 'list-issuers',
  path: '/access/issuers',
  callers: ['operator'],
  query: listQuery,
  handle: list,
}

export const registerIssuer: Operation<object, object> = {
  ...changeShape,
  name: 'register-issuer',
  path: '/access/issuers',
  callers: ['operator'],
  bodies: [body],
  handle: register,
}

export const endIssuer: Operation<object, object> = {
  ...registerIssuer,
  name: 'end-issuer',
  path: '/access/issuers/end',
  bodies: [named],
  handle: end,
}

const withRevoked = (i: string): string =>
  `${i}.*, (select json_group_array(k.thumbprint) from revoked_key as k where k.issuer = ${i}.issuer) as revoked`

async function list(ctx: Listing): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({
    records: [
      {
        sql: `
          select ${withRevoked('i')} from issuer as i
          where i.valid_to is null and i.row > :after order by i.row limit :limit`,
        args: { after: ctx.query.after, limit: limits.registryPageRows + 1 },
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const { items, next } = pageOf(loaded.value.records[0] ?? [], limits.registryPageRows, (row) => row)
  return ok(listed(loaded.value.caller, { issuers: await Promise.all(items.map(shownIssuer)), next }))
}

async function register(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, body)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const unfit = await unfitKeys(asked.jwks?.keys ?? [], asked.algorithms)
  if (unfit.length > 0) return err({ reason: 'invalid', issues: unfit })
  const note = {
    change: 'issuer',
    issuer: asked.issuer,
    algorithms: asked.algorithms.join(' '),
    ...(asked.jwks === undefined ? {} : await namesOf(asked.jwks.keys, asked.algorithms)),
    ...(asked.jwksUrl === undefined ? {} : { jwksUrl: asked.jwksUrl }),
    organisation: asked.organisation ?? '',
  }
  const applied = await applyChange(ctx, { note, ...replaceIssuer(asked) })
  if (!applied.ok) return applied
  const { row } = applied.value
  if (!isBegun(applied.value)) {
    if (!boolean(row.is_organisation_known)) return unknown('organisation')
    if (!boolean(row.has_room))
      return conflict(
        'issuer',
        `Le registre compte déjà ${limits.maxRememberedIssuers} émetteurs.`,
        `The registry holds ${limits.maxRememberedIssuers} issuers already.`,
      )
  }
  return ok(
    changed({
      caller,
      applied: applied.value,
      changed: isBegun(applied.value),
      note,
      body: { issuer: await shownIssuer(row) },
    }),
  )
}

/** For the log: a key id is a name that anybody can give to another key. */
async function namesOf(keys: readonly z.infer<typeof publicKey>[], algorithms: readonly string[]) {
  const thumbprints = await Promise.all(keys.map((jwk) => thumbprintOf(jwk as JWK, algorithms)))
  return { keys: keys.map(({ kid }) => kid).join(' '), thumbprints: thumbprints.join(' ') }
}

async function end(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, named)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const note = { change: 'issuer-ended', ...asked }
  return await endRegistered(ctx, { caller, table: 'issuer', key: asked, note, named: 'issuer', body: asked })
}

// Keys come inline, or stay as the scheduled refresh last found them at the same address, or are yet to be fetched.
const keysOf = (before: string): string =>
  `coalesce(:jwks, case when ${before}.jwks_url is :jwks_url then ${before}.jwks end, '{"keys":[]}')`

const mayRegister = `
  (:organisation = '' or exists (select 1 from organisation where id = :organisation and valid_to is null))
  and ${hasRoom()}`

/** Isolates trust so many at once: one more would silently not count. */
function hasRoom(): string {
  return `(select count(*) from issuer where valid_to is null and issuer <> :issuer) < ${limits.maxRememberedIssuers}`
}

function replaceIssuer(issuer: Body): {
  readonly statements: readonly Statement[]
  readonly outcome: Statement
} {
  const args = {
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: JSON.stringify([...new Set(issuer.algorithms)].sort()),
    jwks: issuer.jwks === undefined ? null : publicKeys(issuer.jwks),
    jwks_url: issuer.jwksUrl ?? null,
    role_system: issuer.roleSystem,
    organisation: issuer.organisation ?? '',
    requires_dpop: issuer.requiresDpop ? 1 : 0,
    one_time: issuer.oneTime ? 1 : 0,
    patient_system: issuer.patientSystem ?? '',
    patient_acr: JSON.stringify([...new Set(issuer.patientAcr)].sort()),
  }
  return {
    statements: [
      {
        sql: `
          update issuer set valid_to = (select n from clock)
          where issuer = :issuer and valid_to is null and ${mayRegister}
            and (audience, algorithms, jwks, jwks_url, role_system, organisation, requires_dpop, one_time,
                patient_system, patient_acr)
              is not (:audience, :algorithms, ${keysOf('issuer')}, :jwks_url, :role_system, :organisation,
                :requires_dpop, :one_time, :patient_system, :patient_acr)`,
        args,
      },
      {
        sql: `
          insert into issuer (issuer, audience, algorithms, jwks, jwks_url, role_system, organisation, requires_dpop,
            one_time, patient_system, patient_acr, valid_from)
          select :issuer, :audience, :algorithms, ${keysOf('ended')}, :jwks_url, :role_system, :organisation,
            :requires_dpop, :one_time, :patient_system, :patient_acr, c.n
          from clock as c left join issuer as ended on ended.issuer = :issuer and ended.valid_to = c.n
          where ${mayRegister}
            and not exists (select 1 from issuer where issuer = :issuer and valid_to is null)`,
        args,
      },
    ],
    outcome: {
      sql: `
        select ${withRevoked('i')},
          :organisation = '' or exists (select 1 from organisation where id = :organisation and valid_to is null)
            as is_organisation_known,
          ${hasRoom()} as has_room
        from clock left join issuer as i on i.issuer = :issuer and i.valid_to is null`,
      args: { issuer: args.issuer, organisation: args.organisation },
    },
  }
}

/** As answers show it: its keys by name and thumbprint. */
async function shownIssuer(row: Row) {
  const revoked = JSON.parse(String(row.revoked)) as readonly (string | null)[]
  const { keys } = JSON.parse(String(row.jwks)) as { keys: readonly JWK[] }
  const algorithms = JSON.parse(String(row.algorithms)) as readonly string[]
  return {
    issuer: row.issuer,
    audience: row.audience,
    algorithms,
    keys: await Promise.all(
      keys.map(async (jwk) => {
        const thumbprint = await thumbprintOf(jwk, algorithms)
        return { kid: jwk.kid ?? null, thumbprint, revoked: revoked.includes(thumbprint) }
      }),
    ),
    jwksUrl: row.jwks_url,
    roleSystem: row.role_system,
    organisation: row.organisation || null,
    requiresDpop: boolean(row.requires_dpop),
    oneTime: boolean(row.one_time),
    patientSystem: row.patient_system || null,
    patientAcr: JSON.parse(String(row.patient_acr)) as unknown,
  }
}
