/**
 * `POST /fhir`: a facility's system publishes a bundle. Without a condition in it nothing is read to decide what a document
 * is; the same bundle sent again changes nothing.
 */
import * as z from 'zod'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { readBundle, type SentBundle } from '../fhir/bundle.ts'
import { isObject, parseJson } from '../fhir/json.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import { disclosedOf } from './page.ts'
import { concerned, responseBundle, type Written, writtenDocuments } from './publish-response.ts'
import { beginPublishing, type Carried, writeBundle } from './write-bundle.ts'

const param = z.object({})
const query = z.strictObject({})
type Context = OperationContext<z.infer<typeof param>, z.infer<typeof query>>

export const publishBundle: Operation<z.infer<typeof param>, z.infer<typeof query>> = {
  name: 'publish',
  method: 'POST',
  path: '/fhir',
  action: 'publish',
  callers: ['facility-system'],
  // Entry by entry: what a bundle holds is known only when it has been read.
  scope: () => null,
  param,
  query,
  bodyTypes: ['application/fhir+json', 'application/json'],
  handle: publish,
}

async function publish(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const publishing = await beginPublishing(ctx)
  if (!publishing.ok) return publishing
  const body = await ctx.body()
  if (!body.ok) return body
  const bundle = parseBundle(body.value)
  if (!bundle.ok) return bundle
  const { kind, entries } = bundle.value
  const note = { bundle: kind, entries: String(entries.length) }
  const carried = await writeBundle(publishing.value, bundle.value, note)
  return carried.ok ? ok(disclosure(ctx, carried.value)) : carried
}

function parseBundle(body: string): Result<SentBundle, Refusal> {
  const parsed = parseJson(body)
  if (!parsed.ok) return err({ reason: 'invalid', issues: [parsed.error] })
  const entries = entryCount(parsed.value)
  if (entries > limits.maxBundleEntries)
    return err({ reason: 'too-costly', of: 'entries', got: entries, max: limits.maxBundleEntries })
  const bundle = readBundle(parsed.value)
  return bundle.ok ? bundle : err({ reason: 'invalid', issues: bundle.error })
}

/** Of what may be no bundle at all. */
const entryCount = (value: unknown): number =>
  isObject(value) && Array.isArray(value.entry) ? value.entry.length : 0

function disclosure(ctx: Context, { plan, inRecords, inLocal, published }: Carried): Disclosure {
  const written = writtenDocuments(plan, published, inRecords, inLocal)
  const count = (is: (document: Written) => boolean): string => String(written.filter(is).length)
  return {
    status: 200,
    contentType: 'application/fhir+json; charset=utf-8',
    headers: { 'Dossier-Clock': inRecords.clock },
    body: JSON.stringify(responseBundle(plan, written, published, ctx.language)),
    disclosed: disclosedOf(concerned(plan, written)),
    reason: 'own-facility',
    note: {
      bundle: plan.kind,
      created: count(({ state }) => state === 'created'),
      updated: count(({ state }) => state === 'updated'),
      unchanged: count(({ state }) => state === 'unchanged'),
      deleted: String(plan.removals.length),
      refused: String(plan.outcomes.filter((outcome) => 'issues' in outcome).length),
    },
  }
}
