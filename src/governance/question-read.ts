/**
 * `GET /audit/questions` and `GET /audit/questions/{id}`: the officers' work list, and what became of their own questions for
 * those who asked.
 */
import * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { err, ok, type Result } from '../result.ts'
import { firstRow, texts } from '../store/rows.ts'
import { answer } from './answer.ts'
import { fhirId, noInput } from './fields.ts'
import { nextPage, openPage, pageInput } from './list-page.ts'
import { isSame } from './question-ask.ts'
import {
  allQuestions,
  eventsStatement,
  organisationQuestions,
  personQuestions,
  questionStatement,
  type Wanted,
} from './question-sql.ts'
import { type Asking, isAsking, openStates, type State, states } from './question-terms.ts'
import { type StoredQuestion, storedQuestion, tellEvents, tellQuestion, visibleTo } from './question-told.ts'

const listInput = pageInput.extend({
  /** Default: to officers what is to be answered, to whoever asks all. */
  status: z.enum(['open', 'all', ...states]).optional(),
  kind: z.enum(['access', 'correction']).optional(),
})
export const questionId = z.strictObject({ id: fhirId })

type ListContext = OperationContext<z.infer<typeof noInput>, z.infer<typeof listInput>>
type ReadContext = OperationContext<z.infer<typeof questionId>, z.infer<typeof noInput>>

export const listQuestions: Operation<z.infer<typeof noInput>, z.infer<typeof listInput>> = {
  name: 'questions',
  method: 'GET',
  path: '/audit/questions',
  action: 'audit-read',
  callers: ['patient', 'guardian', 'privacy-officer'],
  scope: () => ({ type: '*', interaction: 'r' }),
  param: noInput,
  query: listInput,
  handle: list,
}

export const readQuestion: Operation<z.infer<typeof questionId>, z.infer<typeof noInput>> = {
  name: 'question-read',
  method: 'GET',
  path: '/audit/questions/:id',
  action: 'audit-read',
  callers: ['patient', 'guardian', 'privacy-officer'],
  scope: () => ({ type: '*', interaction: 'r' }),
  param: questionId,
  query: noInput,
  handle: read,
}

async function list(ctx: ListContext): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const asking = permitted.value.caller
  if (!isAsking(asking)) return forbidden('operation-not-for-caller')
  const whose = whoseOf(asking)
  const page = await openPage(ctx, whose)
  if (!page.ok) return page
  const wanted: Wanted = {
    ...page.value,
    states: wantedStates(asking, ctx.query.status),
    kind: ctx.query.kind ?? null,
  }
  const loaded = await ctx.load(() => ({ records: [pageFor(asking, wanted)] }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (!isSame(caller, asking)) return forbidden('person-unknown')
  const { rows, next } = await nextPage(ctx, whose, records[0] ?? [])
  const reading = { caller, now: ctx.now, language: ctx.language }
  const questions = rows.map((row) => tellQuestion(storedQuestion(row), reading))
  const known = texts(
    rows.filter(({ person }) => person !== null),
    'person',
  )
  // That somebody has asked nothing is told of them, too.
  const persons = caller.kind === 'privacy-officer' ? known : [caller.person]
  return ok(inLanguage(ctx.language, answer(200, { questions, next }, persons, caller.kind)))
}

const whoseOf = (asking: Asking): string =>
  JSON.stringify(
    asking.kind === 'privacy-officer' ? ['officers', asking.organisation] : ['person', asking.person],
  )

function wantedStates(asking: Asking, status: z.infer<typeof listInput>['status']): readonly State[] {
  const wanted = status ?? (asking.kind === 'privacy-officer' ? 'open' : 'all')
  if (wanted === 'all') return states
  return wanted === 'open' ? openStates : [wanted]
}

function pageFor(asking: Asking, wanted: Wanted) {
  if (asking.kind !== 'privacy-officer') return personQuestions(asking.person, wanted)
  return asking.organisation === null
    ? allQuestions(wanted)
    : organisationQuestions(asking.organisation, wanted)
}

async function read(ctx: ReadContext): Promise<Result<Disclosure, Refusal>> {
  const { id } = ctx.param
  const loaded = await ctx.load(() => ({ records: [questionStatement(id), eventsStatement(id)] }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (!isAsking(caller)) return forbidden('operation-not-for-caller')
  const row = firstRow(records[0])
  const question = row === null ? null : storedQuestion(row)
  if (question === null || !visibleTo(caller, question)) return err(notFound(id, question))
  const reading = { caller, now: ctx.now, language: ctx.language }
  const body = { ...tellQuestion(question, reading), history: tellEvents(records[1] ?? [], reading) }
  const disclosure = answer(200, body, question.person === null ? [] : [question.person], caller.kind)
  return ok(inLanguage(ctx.language, { ...disclosure, note: { question: id } }))
}

const inLanguage = (language: string, disclosure: Disclosure): Disclosure => ({
  ...disclosure,
  headers: { ...disclosure.headers, 'Content-Language': language },
})

/** The entry of the refusal names whom the question is about, where there is one. */
export const notFound = (id: string, question: Pick<StoredQuestion, 'person'> | null): Refusal => ({
  reason: 'not-found',
  what: `question ${id}`,
  ...(question?.person ? { patient: question.person } : {}),
})
