/**
 * `PATCH /fhir/{Type}/{id}` with a JSON Patch (RFC 6902): what it makes of the current version is written as an update would
 * be, and only while that version is the current one.
 */
import type * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import { allowsRow, grantsFor } from '../access/scope.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { type Resource, readResource } from '../fhir/bundle.ts'
import { parseJson } from '../fhir/json.ts'
import { applyPatch, type PatchFault, type PatchOperation, readPatch } from '../fhir/json-patch.ts'
import type { Issue } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { StoredDocument } from './plan-entry.ts'
import { noSuchDocument, otherVersion, overtaken } from './plan-issues.ts'
import { readDocument } from './resolve.ts'
import {
  answered,
  beginWrite,
  instanceParam,
  instancePath,
  isWrittenAlone,
  noQuery,
  readIfMatch,
} from './single-write.ts'
import {
  type Carried,
  carry,
  intendLookup,
  type Publishing,
  planFor,
  readingIn,
  scopedRow,
} from './write-bundle.ts'

type Context = OperationContext<z.infer<typeof instanceParam>, z.infer<typeof noQuery>>

export const patchResource: Operation<z.infer<typeof instanceParam>, z.infer<typeof noQuery>> = {
  name: 'patch',
  method: 'PATCH',
  path: instancePath,
  action: 'update',
  callers: ['facility-system'],
  scope: ({ type }) => ({ type, interaction: 'u' }),
  param: instanceParam,
  query: noQuery,
  bodyTypes: ['application/json-patch+json'],
  conditions: ['If-Match'],
  serves: isWrittenAlone,
  handle: patch,
}

async function patch(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { type } = ctx.param
  const publishing = await beginWrite(ctx, type)
  if (!publishing.ok) return publishing
  const operations = await readOperations(ctx)
  if (!operations.ok) return operations
  return answered(ctx, type, await patched(ctx, publishing.value, operations.value))
}

async function readOperations(ctx: Context): Promise<Result<readonly PatchOperation[], Refusal>> {
  const body = await ctx.body()
  if (!body.ok) return body
  const parsed = parseJson(body.value)
  if (!parsed.ok) return err({ reason: 'invalid', issues: [parsed.error] })
  const { length } = Array.isArray(parsed.value) ? parsed.value : []
  if (length > limits.maxPatchOperations)
    return err({ reason: 'too-costly', of: 'entries', got: length, max: limits.maxPatchOperations })
  const read = readPatch(parsed.value)
  return read.ok ? read : err({ reason: 'invalid', issues: [faultIssue(read.error)] })
}

async function patched(
  ctx: Context,
  publishing: Publishing,
  operations: readonly PatchOperation[],
): Promise<Result<Carried, Refusal>> {
  const { type, id } = ctx.param
  const ifMatch = readIfMatch(ctx)
  if (!ifMatch.ok) return ifMatch
  const intended = await intendLookup(publishing, {})
  if (!intended.ok) return intended
  const document = await readDocument(type, id, readingIn(publishing, intended.value))
  if (!document) return err({ reason: 'not-found', what: `${type}/${id}`, issues: [noSuchDocument(0)] })
  // What a test finds, and what a place has, tells of the content.
  const readable = grantsFor(ctx.scopes, 'facility-system', { type, interaction: 'r' })
  if (!allowsRow(readable, scopedRow(document))) return forbidden('scope-insufficient')
  const { ifMatch: expected = '*' } = ifMatch.value
  if (expected !== '*' && expected !== document.version)
    return err({
      reason: 'precondition-failed',
      what: `${type}/${id}`,
      issues: [otherVersion(0, document.version)],
    })
  const result = resultOf(document, operations)
  if (!result.ok) return result
  const entry = {
    index: 0,
    fullUrl: null,
    resource: result.value,
    putId: document.id,
    expected: document.version,
  }
  const plan = planFor(publishing, { kind: 'transaction', entries: [ok(entry)], conditions: [] })
  if (!plan.ok) return plan
  const carried = await carry(publishing, plan.value, intended.value)
  // The client named no version: it is told that there is another, not that its own is gone.
  if (!carried.ok && carried.error.reason === 'precondition-failed' && ctx.ifMatch === null)
    return err({ reason: 'conflict', issues: [overtaken(0)] })
  return carried
}

/** What the patch makes of the document, as if it had been sent. */
function resultOf(
  { type, id, body }: StoredDocument,
  operations: readonly PatchOperation[],
): Result<Resource, Refusal> {
  const stored = parseJson(body)
  if (!stored.ok) throw new Error(`a stored document is no JSON: ${type}/${id}`)
  const applied = applyPatch(stored.value, operations)
  if (!applied.ok) {
    const issues = [faultIssue(applied.error)]
    return applied.error.fault === 'too-long'
      ? err({ reason: 'invalid', issues })
      : err({ reason: 'conflict', issues })
  }
  const read = readResource(applied.value, type)
  if (!read.ok) return err({ reason: 'invalid', issues: read.error })
  const { resourceType, id: left } = read.value
  return resourceType === type && left === id
    ? ok(read.value)
    : err({ reason: 'invalid', issues: [identityStays] })
}

const identityStays: Issue = {
  code: 'business-rule',
  text: {
    fr: 'Une modification ne change ni `resourceType` ni `id`.',
    en: 'A patch changes neither `resourceType` nor `id`.',
  },
}

const faultTexts: Readonly<Record<PatchFault['fault'], Issue['text'] & { readonly code: string }>> = {
  malformed: {
    code: 'structure',
    fr: 'Ceci n’est pas une opération JSON Patch (RFC 6902)',
    en: 'This is not a JSON Patch operation (RFC 6902)',
  },
  missing: {
    code: 'not-found',
    fr: 'Il n’y a rien à cet endroit de la ressource, ou rien n’y peut être mis',
    en: 'There is nothing at this place of the resource, or nothing can be put there',
  },
  differs: {
    code: 'conflict',
    fr: 'Le test échoue : la ressource dit autre chose',
    en: 'The test fails: the resource says something else',
  },
  'too-long': {
    code: 'too-long',
    fr: 'La ressource deviendrait trop longue ou trop profonde, ou demanderait trop de travail',
    en: 'The resource would become too long or too deep, or take too much work',
  },
}

function faultIssue({ at, fault }: PatchFault): Issue {
  const { code, fr, en } = faultTexts[fault]
  return { code, text: { fr: `${fr} (opération ${at}).`, en: `${en} (operation ${at}).` } }
}
