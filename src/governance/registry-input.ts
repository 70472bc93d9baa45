/** What a change of the trust registry may say: bounded JSON in, issues with their place out. */
import { z } from 'zod'
import type { OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { isObject, parseJson } from '../fhir/json.ts'
import type { Issue } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'

type Text = Issue['text']

/** A check of our own, with what is said when it fails. */
export const told = (fr: string, en: string) => ({ params: { fr, en } })

const isPlain = (value: string): boolean =>
  value.isWellFormed() && value.trim() === value && !/\p{Cc}/u.test(value)

const text = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .refine(
      isPlain,
      told(
        'ne doit contenir ni caractère de commande ni espace au début ou à la fin',
        'must hold no control character and no space at either end',
      ),
    )

/** As people read it. */
export const name = text(limits.maxRegistryNameLength)

/** A subject, client id, audience, code system or token id: compared character by character. */
export const identifier = text(limits.maxRegistryUriLength)

/** Id of a professional, facility or organisation: a FHIR id. */
export const registryId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/)

/** A role, a type of facility or a purpose; `*` where the policy takes it for any. */
export const code = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/)
export const codeOrAny = z.string().regex(/^(\*|[A-Za-z0-9][A-Za-z0-9-]{0,63})$/)

/** Names of logs (DESIGN §6) and regions. */
export const logName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/)

/** https, or http to this machine: anything else could be read or changed on the way. */
export const secureUrl = text(limits.maxRegistryUriLength).refine(
  isSecureUrl,
  told(
    'doit être une adresse https (http sur cette machine seulement), sans mot de passe ni fragment',
    'must be an https address (http on this machine only), without a password or fragment',
  ),
)

function isSecureUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname, username, password, hash } = new URL(value)
  if (username !== '' || password !== '' || hash !== '') return false
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
  return protocol === 'https:' || (protocol === 'http:' && isLoopback)
}

/** `after`: `next` of the page before, the number of a registry row. */
export const after = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/)
  .transform(Number)
  .default(0)

/** No parameters at all, in the path or in the query. */
export const none = z.strictObject({})
export const anyPath = z.object({})

export const jsonBody = ['application/json'] as const

/** Reads the body of a change; every issue names its member, e.g. `jwks.keys[0].kid`. */
export async function readChange<T>(
  ctx: Pick<OperationContext<unknown, unknown>, 'body'>,
  schema: z.ZodType<T>,
): Promise<Result<T, Refusal>> {
  const body = await ctx.body()
  if (!body.ok) return body
  // UTF-8 takes at least one byte for each unit of the text.
  if (body.value.length > limits.maxRegistryBodyBytes)
    return err({ reason: 'body-too-large', maxBytes: limits.maxRegistryBodyBytes })
  const json = parseJson(body.value)
  if (!json.ok) return invalid(json.error)
  const parsed = schema.safeParse(json.value)
  if (parsed.success) return ok(parsed.data)
  return invalid(
    ...parsed.error.issues.slice(0, limits.maxIssues).flatMap((issue) => issuesOf(issue, json.value)),
  )
}

export const invalid = (...issues: readonly Issue[]): Result<never, Refusal> =>
  err({ reason: 'invalid', issues })

/** The change contradicts what is registered; nothing was changed. */
export const conflict = (expression: string, fr: string, en: string): Result<never, Refusal> =>
  err({ reason: 'conflict', issues: [{ code: 'conflict', expression, text: { fr, en } }] })

/** A member names what the registry does not know. */
export const unknown = (expression: string): Result<never, Refusal> =>
  invalid({
    code: 'not-found',
    expression,
    text: {
      fr: `${expression} : le registre ne le connaît pas.`,
      en: `${expression}: the registry does not know it.`,
    },
  })

/** What is to be ended was never registered. */
export const neverRegistered = (expression: string): Result<never, Refusal> =>
  err({
    reason: 'not-found',
    what: expression,
    issues: [
      {
        code: 'not-found',
        expression,
        text: { fr: `${expression} : jamais inscrit.`, en: `${expression}: never registered.` },
      },
    ],
  })

type Fault = z.core.$ZodIssue

function issuesOf(fault: Fault, body: unknown): readonly Issue[] {
  if (fault.code === 'unrecognized_keys')
    return fault.keys.slice(0, limits.maxRegistryListLength).map((key) => {
      const expression = expressionOf([...fault.path, key.slice(0, limits.maxRegistryNameLength)])
      return {
        code: 'structure',
        expression,
        text: { fr: `${expression} : membre inconnu.`, en: `${expression}: unknown member.` },
      }
    })
  const expression = expressionOf(fault.path)
  const isMissing = fault.code === 'invalid_type' && memberAt(body, fault.path) === undefined
  const { fr, en } = isMissing ? { fr: 'est requis', en: 'is required' } : faultText(fault)
  return [
    {
      code: isMissing ? 'required' : 'value',
      ...(expression === '' ? {} : { expression }),
      text: {
        fr: `${expression || 'Le corps'} ${fr}.`,
        en: `${expression || 'The body'} ${en}.`,
      },
    },
  ]
}

function faultText(fault: Fault): Text {
  switch (fault.code) {
    case 'invalid_type':
      return { fr: `doit être de type ${fault.expected}`, en: `must be of type ${fault.expected}` }
    case 'too_big':
      return { fr: `dépasse ${fault.maximum}`, en: `is past ${fault.maximum}` }
    case 'too_small':
      return { fr: `est sous ${fault.minimum}`, en: `is under ${fault.minimum}` }
    case 'invalid_value': {
      const values = fault.values.map(String).join(', ')
      return { fr: `doit être un de : ${values}`, en: `must be one of: ${values}` }
    }
    case 'custom': {
      const { fr, en } = (fault.params ?? {}) as Partial<Text>
      if (fr !== undefined && en !== undefined) return { fr, en }
    }
  }
  return { fr: 'n’a pas la forme requise', en: 'does not have the required form' }
}

/** `a.b[0].c` */
const expressionOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (so, part) =>
      typeof part === 'number' ? `${so}[${part}]` : so === '' ? String(part) : `${so}.${String(part)}`,
    '',
  )

function memberAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let at = body
  for (const part of path) {
    if (Array.isArray(at) && typeof part === 'number') at = at[part]
    else if (isObject(at) && typeof part === 'string') at = at[part]
    else return undefined
  }
  return at
}
