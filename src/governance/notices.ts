/** `GET /access/notices`: what a person, or the guardian of one under 14, is told without asking, newest first. */
import type * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { ok, type Result } from '../result.ts'
import type { Row } from '../store/ports.ts'
import { answer } from './answer.ts'
import { noInput } from './fields.ts'
import { nextPage, openPage, pageInput } from './list-page.ts'
import type { NoticeFacts } from './notice-rows.ts'
import { noticeText } from './notice-text.ts'

type Context = OperationContext<z.infer<typeof noInput>, z.infer<typeof pageInput>>

export const listNotices: Operation<z.infer<typeof noInput>, z.infer<typeof pageInput>> = {
  name: 'notices',
  method: 'GET',
  path: '/access/notices',
  action: 'audit-read',
  callers: ['patient', 'guardian'],
  scope: () => ({ type: '*', interaction: 'r' }),
  param: noInput,
  query: pageInput,
  handle,
}

async function handle(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const asking = permitted.value.caller
  if (asking.kind !== 'patient' && asking.kind !== 'guardian') return forbidden('operation-not-for-caller')
  const { person } = asking
  const page = await openPage(ctx, person)
  if (!page.ok) return page
  const loaded = await ctx.load(() => ({
    records: [
      {
        sql: `
          select n.id, n.kind, n.at, n.facts from source_record as s cross join notice as n on n.source_record = s.id
          where s.person = :person and (n.at, n.id) < (:at, :id)
          order by n.at desc, n.id desc limit :count`,
        args: { person, ...page.value },
      },
    ],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  // Who the caller is may have changed between the two batches: the last one holds.
  if (caller.kind !== asking.kind || caller.person !== person) return forbidden('person-unknown')
  const { rows, next } = await nextPage(ctx, person, records[0] ?? [])
  const notices = rows.map((row) => told(row, ctx.language))
  const disclosure = answer(200, { notices, next }, [person], caller.kind)
  return ok({ ...disclosure, headers: { 'Content-Language': ctx.language } })
}

function told({ id, kind, at, facts }: Row, language: 'fr' | 'en') {
  const stored = { kind, ...(JSON.parse(String(facts)) as object) } as NoticeFacts
  return { id, kind, at, text: noticeText(stored, String(at), language), ...aboutWhom(stored) }
}

function aboutWhom(facts: NoticeFacts) {
  if (facts.kind === 'guardianship') return {}
  if (facts.kind === 'consent') return { consent: `Consent/${facts.consent}` }
  if (facts.kind === 'question') return { question: facts.question }
  const { reason, until, facilityName: facility, name: professional } = facts
  return { reason, until, facility, professional }
}
