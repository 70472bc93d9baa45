/** The privacy officers' work list: `GET /access/reviews`, and the decision on an item, made once. */
import * as z from 'zod'
import type { Caller } from '../access/caller.ts'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { writeBatch } from '../records/write-batch.ts'
import { err, ok, type Result } from '../result.ts'
import { type Row, StoreError } from '../store/ports.ts'
import { firstRow, texts } from '../store/rows.ts'
import { answer } from './answer.ts'
import { attestationSource } from './attest.ts'
import { jsonBody, readFields } from './body.ts'
import { fhirId, noInput, reasonField } from './fields.ts'
import { nextPage, openPage, pageInput } from './list-page.ts'

const listInput = pageInput.extend({ status: z.enum(['open', 'decided']).default('open') })
const itemId = z.strictObject({ id: fhirId })

const decisionShape = z.discriminatedUnion('decision', [
  z.strictObject({
    decision: z.literal('justified'),
    note: z.string().trim().max(limits.maxReasonLength).default(''),
  }),
  z.strictObject({ decision: z.enum(['unjustified', 'referred']), note: reasonField }),
])

type ListContext = OperationContext<z.infer<typeof noInput>, z.infer<typeof listInput>>
type DecideContext = OperationContext<z.infer<typeof itemId>, z.infer<typeof noInput>>

export const listReviews: Operation<z.infer<typeof noInput>, z.infer<typeof listInput>> = {
  name: 'reviews',
  method: 'GET',
  path: '/access/reviews',
  action: 'operation',
  callers: ['privacy-officer'],
  scope: () => ({ type: '*', interaction: 'r' }),
  param: noInput,
  query: listInput,
  handle: list,
}

export const decideReview: Operation<z.infer<typeof itemId>, z.infer<typeof noInput>> = {
  name: 'review-decide',
  method: 'POST',
  path: '/access/reviews/:id',
  action: 'policy',
  callers: ['privacy-officer'],
  scope: () => ({ type: '*', interaction: 'u' }),
  param: itemId,
  query: noInput,
  bodyTypes: jsonBody,
  bodies: [decisionShape],
  handle: decide,
}

/** Null: items of the whole record. Undefined: no officer. */
const organisationOf = (caller: Caller): string | null | undefined =>
  caller.kind === 'privacy-officer' ? caller.organisation : undefined

async function list(ctx: ListContext): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const organisation = organisationOf(permitted.value.caller)
  if (organisation === undefined) return forbidden('operation-not-for-caller')
  const whose = organisation ?? ''
  const page = await openPage(ctx, whose)
  if (!page.ok) return page
  const loaded = await ctx.load(() => ({
    records: [
      {
        sql: itemsPage,
        args: { organisation, is_open: ctx.query.status === 'open' ? 1 : 0, ...page.value },
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  // Who the caller is may have changed between the two batches: the last one holds.
  if (organisationOf(caller) !== organisation) return forbidden('not-own-organisation')
  const { rows, next } = await nextPage(ctx, whose, records[0] ?? [])
  const persons = texts(
    rows.filter(({ person }) => person !== null),
    'person',
  )
  return ok(answer(200, { reviews: rows.map(toldItem), next }, persons, caller.kind))
}

/** One page of items; then, once for all of them, names and windows. */
const itemsPage = `
  with page as materialized (
    select i.id, i.kind, i.source_record, i.professional, i.facility, i.at, i.reason,
      d.decision, d.note, d.decided_by, d.decided_at
    from review_item as i left join review_decision as d on d.item = i.id
    where (i.at, i.id) < (:at, :id) and (:organisation is null or i.organisation = :organisation)
      and (d.item is null) = :is_open
    order by i.at desc, i.id desc limit :count)
  select p.*, s.person, n.name as professional_name, f.name as facility_name,
    coalesce(b.starts, r.starts) as starts, coalesce(b.ends, r.ends) as ends
  from page as p
  left join source_record as s on s.id = p.source_record
  left join facility as f on f.id = p.facility and f.valid_to is null
  left join (
    select id, min(name) as name from professional
    where valid_to is null and id in (select professional from page) group by id) as n on n.id = p.professional
  left join break_glass as b on b.id = p.id
  left join relationship as r on r.source_record = p.source_record and r.source = '${attestationSource('')}' || p.id
  order by p.at desc, p.id desc`

function toldItem(row: Row) {
  const { id, kind, at, reason } = row
  return {
    id,
    kind,
    at,
    reason,
    patient: row.source_record === '' ? null : `Patient/${row.source_record}`,
    professional: { id: row.professional, name: row.professional_name },
    facility: { id: row.facility, name: row.facility_name },
    window: row.starts === null ? null : { starts: iso(row.starts), ends: iso(row.ends) },
    decision:
      row.decision === null
        ? null
        : { decision: row.decision, note: row.note, by: row.decided_by, at: row.decided_at },
  }
}

const iso = (ms: unknown): string => new Date(Number(ms)).toISOString()

async function decide(ctx: DecideContext): Promise<Result<Disclosure, Refusal>> {
  const item = ctx.param.id
  const loaded = await ctx.load(() => ({
    records: [
      {
        sql: `
          select i.organisation, i.professional, i.source_record, s.person, d.decision
          from review_item as i left join source_record as s on s.id = i.source_record
          left join review_decision as d on d.item = i.id
          where i.id = :item`,
        args: { item },
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (caller.kind !== 'privacy-officer') return forbidden('operation-not-for-caller')
  const row = firstRow(records[0])
  if (!row || (caller.organisation !== null && row.organisation !== caller.organisation))
    return err({ reason: 'not-found', what: `review ${item}` })
  if (row.professional === caller.professional) return forbidden('four-eyes')
  if (row.decision !== null) return decidedAlready
  const fields = await readFields(ctx, decisionShape)
  if (!fields.ok) return fields
  const { decision, note } = fields.value

  const persons = typeof row.person === 'string' ? [row.person] : []
  const intended = await ctx.intend({ review: item, decision })
  if (!intended.ok) return intended
  const decidedAt = new Date(ctx.now).toISOString()
  try {
    const { clock } = await writeBatch(intended.value.records, {
      key: ctx.requestId,
      sources: [String(row.source_record)],
      statements: [
        {
          sql: `
            insert into review_decision (item, decision, note, decided_by, decided_at, valid_from)
            select :item, :decision, :note, :by, :at, n from clock`,
          args: { item, decision, note, by: caller.professional, at: decidedAt },
        },
        ...(decision === 'unjustified' ? endAccess(item) : []),
      ],
      outcome: [],
    })
    return ok(answer(200, { id: item, decision, note, at: decidedAt }, persons, caller.kind, clock))
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'constraint') throw error
    return decidedAlready
  }
}

/**
 * What was not justified must not go on, nor by another window that the same professional declared about the same person:
 * but for one found justified.
 */
const endAccess = (item: string) => [
  {
    sql: `
      update break_glass set valid_to = (select n from clock)
      where valid_to is null and id in (
        select b.id from break_glass as declared
        cross join source_record as mine on mine.id = declared.source_record
        cross join source_record as s on s.person = mine.person
        cross join break_glass as b on b.source_record = s.id and b.facility = declared.facility
          and b.professional = declared.professional and b.valid_to is null
        where declared.id = :item and not exists (
          select 1 from review_decision as d where d.item = b.id and d.decision = 'justified'))`,
    args: { item },
  },
  {
    sql: 'update relationship set valid_to = (select n from clock) where source = :source and valid_to is null',
    args: { source: attestationSource(item) },
  },
]

const decidedAlready: Result<never, Refusal> = err({
  reason: 'conflict',
  issues: [
    {
      code: 'conflict',
      text: { fr: 'Cette révision est déjà tranchée.', en: 'This review has been decided already.' },
    },
  ],
})
