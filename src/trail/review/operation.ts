/**
 * `GET /audit/review?month=YYYY-MM`: what the rules find in the month's accesses, one JSON document, streamed. Each patient
 * whom a finding names is in the log before the bytes that name them leave.
 */
import * as z from 'zod'
import type { Caller } from '../../access/caller.ts'
import { forbidden } from '../../access/refusal.ts'
import type { Disclosure, DisclosureChunk, Operation, OperationContext } from '../../disclosure/operation.ts'
import type { Refusal } from '../../disclosure/refusal.ts'
import { limits } from '../../limits.ts'
import { ok, type Result } from '../../result.ts'
import { type NoParam, officerRead } from '../officer-read.ts'
import { PatientsMet } from '../patients-met.ts'
import type { ReadRecords } from './facts.ts'
import { monthOf, monthPattern } from './month.ts'
import { type Finding, Review } from './review.ts'
import { type Rules, ruleNames, rulesOf, rulesStatement } from './rules.ts'

const rule = z.enum(ruleNames)
const query = z.strictObject({
  month: z.string().regex(monthPattern),
  /** Repeatable; none: all that are enabled. */
  rule: z.union([rule, z.array(rule).max(ruleNames.length)]).optional(),
})

type Context = OperationContext<NoParam, z.infer<typeof query>>

export const auditReview: Operation<NoParam, z.infer<typeof query>> = {
  ...officerRead,
  name: 'audit-review',
  path: '/audit/review',
  query,
  handle,
}

/** Null: of the whole record. Undefined: no officer. */
const organisationOf = (caller: Caller): string | null | undefined =>
  caller.kind === 'privacy-officer' ? caller.organisation : undefined

async function handle(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({ records: [rulesStatement] }))
  if (!loaded.ok) return loaded
  const organisation = organisationOf(loaded.value.caller)
  if (organisation === undefined) return forbidden('operation-not-for-caller')
  const asked = ctx.query.rule === undefined ? null : [ctx.query.rule].flat()
  const rules = rulesOf(loaded.value.records[0] ?? [], asked)
  const month = monthOf(ctx.query.month)
  // Every batch asks anew whether the officer still may.
  const read: ReadRecords = async (records) => {
    const more = await ctx.load(() => ({ records }))
    if (!more.ok) throw new Error(`the review ends here: ${more.error.reason}`)
    if (organisationOf(more.value.caller) !== organisation)
      throw new Error('the review ends here: the officer is of another organisation')
    return more.value.records
  }
  const review = await Review.open({ ledger: ctx.ledger, read, month, organisation, rules, now: ctx.now })
  const exportId = crypto.randomUUID()
  return ok({
    status: 200,
    contentType: 'application/json; charset=utf-8',
    body: { exportId, chunks: chunks(review, { month: month.name, organisation, rules }) },
    disclosed: [],
    reason: 'privacy-officer',
    note: { export: exportId, month: month.name, rules: Object.keys(rules).join(' ') },
  })
}

interface Told {
  readonly month: string
  readonly organisation: string | null
  readonly rules: Rules
}

/** One finding a line; the summary comes last, so that a document that breaks off is none. */
async function* chunks(review: Review, told: Told): AsyncGenerator<DisclosureChunk> {
  const encoder = new TextEncoder()
  const head = JSON.stringify({ ...told, logs: review.parts }).slice(0, -1)
  yield { patients: [], bytes: encoder.encode(`${head},"findings":[\n`) }
  const met = new PatientsMet()
  let separator = ''
  for await (const batch of review.findings())
    for (let at = 0; at < batch.length; at += limits.maxAppendEntries) {
      const page = batch.slice(at, at + limits.maxAppendEntries)
      for (const { patient } of page) if (patient !== null) met.add(patient)
      let lines = ''
      for (const finding of page) {
        lines += `${separator}${JSON.stringify(toldFinding(finding))}\n`
        separator = ','
      }
      yield { patients: met.take(), bytes: encoder.encode(lines) }
    }
  yield { patients: [], bytes: encoder.encode(`],"summary":${JSON.stringify(review.summary)}}\n`) }
}

const toldFinding = ({ id, rule, professional, name, patient, sourceRecord, ...finding }: Finding) => ({
  id,
  rule,
  professional: { id: professional, name },
  patient:
    patient === null
      ? null
      : { person: patient, reference: sourceRecord === null ? null : `Patient/${sourceRecord}` },
  numbers: finding.numbers,
  entries: finding.entries,
  entryCount: finding.entryCount,
  decisions: finding.decisions.map(({ month, decision, note, mutedUntil, by, at }) => ({
    month,
    decision,
    note,
    mutedUntil: mutedUntil === '' ? null : mutedUntil,
    by,
    at,
  })),
})
