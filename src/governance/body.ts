/** Reading a body of `/access`: bounded JSON in, issues with their place out. */
import type * as z from 'zod'
import { expressionOf, type Fault, faultText } from '../disclosure/input-issues.ts'
import type { OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { isObject, parseJson } from '../fhir/json.ts'
import type { Issue } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'

export const jsonBody = ['application/json'] as const

type Context = Pick<OperationContext<unknown, unknown>, 'body' | 'bodies'>

/**
 * The body as JSON of this shape, one of those that the operation tells of; every issue names its member, e.g.
 * `jwks.keys[0].kid`.
 *
 * @throws Error for another shape: what is told of the API would be wrong
 */
export async function readFields<T>(ctx: Context, shape: z.ZodType<T>): Promise<Result<T, Refusal>> {
  if (!ctx.bodies.includes(shape))
    throw new Error('a body is read by a shape that its operation does not tell of')
  const text = await ctx.body()
  if (!text.ok) return text
  const json = parseJson(text.value)
  if (!json.ok) return err({ reason: 'invalid', issues: [json.error] })
  const fields = shape.safeParse(json.value)
  if (fields.success) return ok(fields.data)
  const faults = fields.error.issues.slice(0, limits.maxIssues)
  return err({ reason: 'invalid', issues: faults.flatMap((fault) => issuesOf(fault, json.value)) })
}

/** The body of a change of the trust registry, within `limits.maxRegistryBodyBytes`. */
export const readChange = <T>(ctx: Context, shape: z.ZodType<T>): Promise<Result<T, Refusal>> =>
  readFields({ bodies: ctx.bodies, body: async () => bounded(await ctx.body()) }, shape)

/** UTF-8 takes at least one byte for each unit of the text. */
const bounded = (body: Result<string, Refusal>): Result<string, Refusal> =>
  body.ok && body.value.length > limits.maxRegistryBodyBytes
    ? err({ reason: 'body-too-large', maxBytes: limits.maxRegistryBodyBytes })
    : body

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

function memberAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let at = body
  for (const part of path) {
    if (Array.isArray(at) && typeof part === 'number') at = at[part]
    else if (isObject(at) && typeof part === 'string') at = at[part]
    else return undefined
  }
  return at
}
