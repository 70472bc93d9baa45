/** `POST /access/revocations`: a token or a key that must never count again. There is no way back. Operators only. */
import type { JWK } from 'jose'
import * as z from 'zod'
import type { Disclosure, Operation, OperationContext, Writers } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { err, ok, type Result } from '../result.ts'
import type { Statement } from '../store/ports.ts'
import { boolean } from '../store/rows.ts'
import { identifier, told } from './fields.ts'
import { thumbprintOf } from './issuer-key-set.ts'
import { changeShape } from './operation-shape.ts'
import { neverRegistered } from './refusals.ts'
import { changed, type Note, readAsked, writeChange } from './registry-change.ts'

const exactlyOne = (members: readonly unknown[]): boolean =>
  members.filter((member) => member !== undefined).length === 1

const body = z
  .strictObject({
    token: z.strictObject({ issuer: identifier, jti: identifier }).optional(),
    key: z
      .strictObject({
        issuer: identifier,
        /** Every key of this name in the issuer's current key set. */
        kid: identifier.optional(),
        /** RFC 7638, SHA-256, base64url; also of a key that is not listed, or not yet. */
        thumbprint: z
          .string()
          .regex(/^[A-Za-z0-9_-]{43}$/)
          .optional(),
      })
      .refine(({ kid, thumbprint }) => exactlyOne([kid, thumbprint]), {
        path: ['kid'],
        ...told('ou thumbprint est requis, l’un des deux', 'or thumbprint is required, one of the two'),
      })
      .optional(),
  })
  .refine(({ token, key }) => exactlyOne([token, key]), {
    path: ['token'],
    ...told('ou key est requis, l’un des deux', 'or key is required, one of the two'),
  })
type Token = NonNullable<z.infer<typeof body>['token']>
type Key = NonNullable<z.infer<typeof body>['key']>
type Changing = OperationContext<object, object>

export const revoke: Operation<object, object> = {
  ...changeShape,
  name: 'revoke',
  path: '/access/revocations',
  callers: ['operator'],
  bodies: [body],
  handle,
}

async function handle(ctx: Changing): Promise<Result<Disclosure, Refusal>> {
  const read = await readAsked(ctx, body)
  if (!read.ok) return read
  const { caller, asked } = read.value
  const note = noteOf(asked)
  const intended = await ctx.intend(note)
  if (!intended.ok) return intended
  const planned = asked.token
    ? ok(tokenRevocation(asked.token))
    : await keyRevocation(intended.value, asked.key as Key)
  if (!planned.ok) return planned
  const { statement, outcome, body: shown } = planned.value
  const applied = await writeChange(ctx.requestId, intended.value, { statements: [statement], outcome })
  const { row, writeClock } = applied
  if (!boolean(row.is_issuer_known)) return neverRegistered('issuer')
  return ok(
    changed({
      caller,
      applied,
      changed: Number(row.last) === writeClock,
      note: { ...note, ...('thumbprints' in shown ? { thumbprint: shown.thumbprints.join(' ') } : {}) },
      body: shown,
    }),
  )
}

function noteOf({ token, key }: z.infer<typeof body>): Note {
  if (token) return { change: 'token-revoked', ...token }
  const { issuer = '', kid, thumbprint } = key ?? {}
  return {
    change: 'key-revoked',
    issuer,
    ...(kid === undefined ? {} : { kid }),
    ...(thumbprint === undefined ? {} : { thumbprint }),
  }
}

const isIssuerKnown = 'exists (select 1 from issuer where issuer = :issuer)'

interface Revocation {
  readonly statement: Statement
  readonly outcome: Statement
  readonly body:
    | { readonly token: Token }
    | { readonly issuer: string; readonly thumbprints: readonly string[] }
}

const tokenRevocation = ({ issuer, jti }: Token): Revocation => ({
  statement: {
    sql: `
      insert into revoked_token (issuer, jti, valid_from)
      select :issuer, :jti, (select n from clock) where ${isIssuerKnown}
      on conflict (issuer, jti) do nothing`,
    args: { issuer, jti },
  },
  outcome: {
    sql: `
      select ${isIssuerKnown} as is_issuer_known,
        (select valid_from from revoked_token where issuer = :issuer and jti = :jti) as last`,
    args: { issuer, jti },
  },
  body: { token: { issuer, jti } },
})

/** A key by its name is looked up in the key set as the primary has it now. */
async function keyRevocation({ records }: Writers, key: Key): Promise<Result<Revocation, Refusal>> {
  const { issuer, kid } = key
  if (key.thumbprint !== undefined) return ok(thumbprintRevocation(issuer, [key.thumbprint]))
  const [rows = []] = await records.read([
    {
      sql: 'select jwks, algorithms from issuer where issuer = :issuer and valid_to is null',
      args: { issuer },
    },
  ])
  const [row] = rows
  if (!row) return neverRegistered('key.issuer')
  const { keys } = JSON.parse(String(row.jwks)) as { keys: readonly JWK[] }
  const algorithms = JSON.parse(String(row.algorithms)) as readonly string[]
  const named = keys.filter((jwk) => jwk.kid === kid)
  const found = await Promise.all(named.map((jwk) => thumbprintOf(jwk, algorithms)))
  const thumbprints = [...new Set(found.filter((thumbprint) => thumbprint !== null))]
  if (thumbprints.length > 0) return ok(thumbprintRevocation(issuer, thumbprints))
  return err({
    reason: 'invalid',
    issues: [
      {
        code: 'not-found',
        expression: 'key.kid',
        text: {
          fr: 'key.kid : l’émetteur ne publie aucune clé de ce nom ; nommez-la par thumbprint.',
          en: 'key.kid: the issuer lists no key of this name; name it by thumbprint.',
        },
      },
    ],
  })
}

const thumbprintRevocation = (issuer: string, thumbprints: readonly string[]): Revocation => ({
  statement: {
    sql: `
      insert into revoked_key (issuer, thumbprint, valid_from)
      select :issuer, value, (select n from clock) from json_each(:thumbprints) where ${isIssuerKnown}
      on conflict (issuer, thumbprint) do nothing`,
    args: { issuer, thumbprints: JSON.stringify(thumbprints) },
  },
  outcome: {
    sql: `
      select ${isIssuerKnown} as is_issuer_known,
        (select max(valid_from) from revoked_key
          where issuer = :issuer and thumbprint in (select value from json_each(:thumbprints))) as last`,
    args: { issuer, thumbprints: JSON.stringify(thumbprints) },
  },
  body: { issuer, thumbprints },
})
