/**
 * `POST /audit/questions/{id}`: an officer takes a question up, answers, refers or closes it; whoever asked adds to it or takes
 * it back. Each act is one event of its history; of two at the same time one is told so.
 */
import type * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { writeBatch } from '../records/write-batch.ts'
import { err, ok, type Result } from '../result.ts'
import { type Statement, StoreError } from '../store/ports.ts'
import { firstRow } from '../store/rows.ts'
import { answer, newId } from './answer.ts'
import { readChange } from './body.ts'
import type { noInput } from './fields.ts'
import { addNotice } from './notice-rows.ts'
import { changeShape } from './operation-shape.ts'
import { askerOf, isSame } from './question-ask.ts'
import { notFound, questionId } from './question-read.ts'
import { followEvent, type NewEvent, questionStatement } from './question-sql.ts'
import {
  type AskerStep,
  type Asking,
  afterFollowUp,
  askerStep,
  dueAfter,
  isAsking,
  isOverdue,
  isOwnAccess,
  mayFollow,
  mayWithdraw,
  type OfficerStep,
  officerStep,
} from './question-terms.ts'
import { type StoredQuestion, storedQuestion, visibleTo } from './question-told.ts'
import { conflict, invalid, unknown } from './refusals.ts'

type Context = OperationContext<z.infer<typeof questionId>, z.infer<typeof noInput>>
type Officer = Extract<Asking, { kind: 'privacy-officer' }>

export const actOnQuestion: Operation<z.infer<typeof questionId>, z.infer<typeof noInput>> = {
  ...changeShape,
  name: 'question-act',
  path: '/audit/questions/:id',
  callers: ['patient', 'guardian', 'privacy-officer'],
  param: questionId,
  bodies: [officerStep, askerStep],
  handle,
}

async function handle(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const { id } = ctx.param
  const loaded = await ctx.load(() => ({ records: [questionStatement(id)] }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (!isAsking(caller)) return forbidden('operation-not-for-caller')
  const row = firstRow(records[0])
  const question = row === null ? null : storedQuestion(row)
  if (question === null || !visibleTo(caller, question)) return err(notFound(id, question))
  if (question.version >= limits.maxQuestionEvents) return tooLong
  const next =
    caller.kind === 'privacy-officer' ? await byOfficer(ctx, caller, question) : await byAsker(ctx, question)
  return next.ok ? await write(ctx, caller, question, next.value) : next
}

/** What an act makes of a question. */
type Next = Pick<NewEvent, 'state'> &
  Partial<Pick<NewEvent, 'organisation' | 'due' | 'text' | 'outcome' | 'reason'>>

async function byOfficer(
  ctx: Context,
  officer: Officer,
  question: StoredQuestion,
): Promise<Result<Next, Refusal>> {
  const fields = await readChange(ctx, officerStep)
  if (!fields.ok) return fields
  const step = fields.value
  const { issuer, subject } = ctx.presented
  const isOwn = isOwnAccess(question.accessor, { professional: officer.professional, issuer, subject })
  // Handing it to somebody else is what they should do with it.
  if (isOwn && step.state !== 'referred') return forbidden('four-eyes', question.person ?? undefined)
  if (!mayFollow(question.state, step.state)) return illegal(question.state, step.state)
  switch (step.state) {
    case 'in-review':
    case 'closed':
      return ok({ state: step.state })
    case 'answered':
      return answered(question, step)
    case 'referred':
      return await referred(ctx, officer, question, step)
  }
}

function answered(
  { kind }: StoredQuestion,
  { answer: text, outcome, reason = '' }: Extract<OfficerStep, { state: 'answered' }>,
): Result<Next, Refusal> {
  if (kind === 'correction' && outcome === undefined)
    return invalid(
      'outcome',
      'outcome est requis pour une demande de correction.',
      'outcome is required for a request for correction.',
    )
  if (kind === 'access' && (outcome !== undefined || reason !== ''))
    return invalid(
      'outcome',
      'outcome et reason ne valent que pour une demande de correction.',
      'outcome and reason are for requests for correction only.',
    )
  return ok({ state: 'answered', text, outcome: outcome ?? '', reason })
}

async function referred(
  ctx: Context,
  officer: Officer,
  question: StoredQuestion,
  { to = '', reason }: Extract<OfficerStep, { state: 'referred' }>,
): Promise<Result<Next, Refusal>> {
  if (to === question.organisation)
    return conflict('to', 'La question est déjà là.', 'The question is there already.')
  const loaded = await ctx.load(() => ({
    records: [{ sql: 'select id from organisation where id = :to and valid_to is null', args: { to } }],
  }))
  if (!loaded.ok) return loaded
  if (!isSame(loaded.value.caller, officer)) return forbidden('not-own-organisation')
  if (to !== '' && firstRow(loaded.value.records[0]) === null) return unknown('to')
  return ok({ state: 'referred', organisation: to, reason })
}

async function byAsker(ctx: Context, question: StoredQuestion): Promise<Result<Next, Refusal>> {
  const fields = await readChange(ctx, askerStep)
  if (!fields.ok) return fields
  const step: AskerStep = fields.value
  if (step.state === 'withdrawn')
    return mayWithdraw(question.state) ? ok({ state: 'withdrawn' }) : illegal(question.state, 'withdrawn')
  const state = afterFollowUp(question.state)
  if (state === null) return illegal(question.state, 'follow-up')
  // What is asked anew is owed an answer anew.
  const due = question.state === 'answered' ? dueAfter(ctx.now, question.days) : question.due
  return ok({ state, due, text: step.text })
}

const illegal = (from: string, to: string): Result<never, Refusal> =>
  conflict('state', `state : ${to} ne suit pas ${from}.`, `state: ${to} does not follow ${from}.`)

const tooLong = conflict(
  'state',
  `Cette question a ${limits.maxQuestionEvents} événements : posez-en une nouvelle.`,
  `This question has ${limits.maxQuestionEvents} events: ask a new one.`,
)

async function write(
  ctx: Context,
  caller: Asking,
  question: StoredQuestion,
  next: Next,
): Promise<Result<Disclosure, Refusal>> {
  const { id, sourceRecord, person } = question
  const at = new Date(ctx.now).toISOString()
  const event: NewEvent = {
    organisation: question.organisation,
    due: question.due,
    ...next,
    question: id,
    version: question.version + 1,
    askedAt: question.at,
    at,
    by: askerOf(caller),
    capacity: caller.kind,
  }
  const note = { question: id, state: event.state, ...(next.outcome ? { outcome: next.outcome } : {}) }
  const intended = await ctx.intend(note)
  if (!intended.ok) return intended
  try {
    const { clock } = await writeBatch(intended.value.records, {
      key: ctx.requestId,
      sources: sourceRecord === '' ? [] : [sourceRecord],
      statements: [...followEvent(event), ...noticeOf(caller, question, event)],
      outcome: [],
    })
    const { state, due } = event
    const body = { id, state, at, due, overdue: isOverdue(state, due, ctx.now) }
    return ok({ ...answer(200, body, person === null ? [] : [person], caller.kind, clock), note })
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'constraint') throw error
    return meanwhile
  }
}

/** Whoever asked is told of the answer; what officers look into of themselves is not told. */
function noticeOf(caller: Asking, question: StoredQuestion, event: NewEvent): readonly Statement[] {
  if (event.state !== 'answered' || question.capacity === 'privacy-officer') return []
  const facts = {
    kind: 'question',
    question: question.id,
    about: question.kind,
    outcome: event.outcome ?? '',
    name: caller.name,
  } as const
  return [addNotice(newId(), question.sourceRecord, event.at, facts)]
}

const meanwhile = conflict(
  'state',
  'Quelqu’un vient d’agir sur cette question : relisez-la.',
  'Somebody has just acted on this question: read it again.',
)
