/**
 * `POST /audit/questions`: a patient, a guardian or a privacy officer questions an access; a patient or a guardian asks that a
 * document be corrected. What is not there, and what is not the asker's, is one answer.
 */
import type * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Who } from '../audit/port.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { writeBatch } from '../records/write-batch.ts'
import { err, ok, type Result } from '../result.ts'
import type { Rows, Statement } from '../store/ports.ts'
import { firstRow, texts } from '../store/rows.ts'
import { entriesAtStatement } from '../trail/ledger-sql.ts'
import { personIdsStatement } from '../trail/person-ids.ts'
import { answer, newId } from './answer.ts'
import { readChange } from './body.ts'
import type { noInput } from './fields.ts'
import { changeShape } from './operation-shape.ts'
import { addQuestion, daysStatement, type NewQuestion, openQuestions } from './question-sql.ts'
import { type Asking, askShape, dueAfter, isAsking } from './question-terms.ts'
import { conflict } from './refusals.ts'

type Context = OperationContext<z.infer<typeof noInput>, z.infer<typeof noInput>>
type Asked = z.infer<typeof askShape>

export const askQuestion: Operation<z.infer<typeof noInput>, z.infer<typeof noInput>> = {
  ...changeShape,
  name: 'question-ask',
  path: '/audit/questions',
  callers: ['patient', 'guardian', 'privacy-officer'],
  bodies: [askShape],
  handle,
}

async function handle(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const permitted = await ctx.load(() => ({}))
  if (!permitted.ok) return permitted
  const { caller } = permitted.value
  if (!isAsking(caller)) return forbidden('operation-not-for-caller')
  const fields = await readChange(ctx, askShape)
  if (!fields.ok) return fields
  const asked = fields.value
  const about =
    asked.kind === 'access' ? await anAccess(ctx, caller, asked) : await aDocument(ctx, caller, asked)
  return about.ok ? await record(ctx, asked, about.value) : about
}

/** What a question is about, and for whom it is. */
interface About {
  readonly caller: Asking
  /** '' : nobody. */
  readonly sourceRecord: string
  readonly persons: readonly string[]
  readonly accessor: NewQuestion['accessor']
  readonly organisation: string
  readonly days: number
}

async function anAccess(
  ctx: Context,
  asking: Asking,
  { entry: name }: Extract<Asked, { kind: 'access' }>,
): Promise<Result<About, Refusal>> {
  const [log = '', index = ''] = name.split('/')
  const [found] = await ctx.ledger.read([entriesAtStatement(log, [Number(index)])])
  const entry = firstRow(found)
  const patient = typeof entry?.patient === 'string' ? entry.patient : ''
  const who = entry === null ? null : whoOf(String(entry.entry))
  const loaded = await ctx.load(() => ({ records: [sourcesOf(patient), ...askedOf(asking)] }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  const [sources = [], days, open, ids] = records
  if (!isSame(caller, asking)) return forbidden('person-unknown')
  const isOwn =
    caller.kind === 'privacy-officer'
      ? caller.organisation === null || caller.organisation === who?.organisation
      : patient !== '' && texts(ids, 'person').includes(patient)
  if (who === null || !isOwn)
    return err({
      reason: 'not-found',
      what: `entry ${name}`,
      ...(patient === '' ? {} : { patient }),
      ...(who !== null && caller.kind === 'privacy-officer' ? { cause: 'not-own-organisation' } : {}),
    })
  if (isTooMany(open)) return tooMany
  const source = sourceFor(caller, sources)
  return ok({
    caller,
    sourceRecord: source?.id ?? '',
    persons: source ? [source.person] : patient === '' ? [] : [patient],
    accessor: {
      professional: who.practitioner ?? '',
      issuer: who.issuer ?? '',
      subject: who.subject ?? '',
    },
    organisation: who.organisation ?? '',
    days: Number(firstRow(days)?.days),
  })
}

const whoOf = (entry: string): Who =>
  (JSON.parse(entry) as { readonly access: { readonly who: Who } }).access.who

/** A request about what is not there, or is another's, or is no shared document, is taken like any other: officers look. */
async function aDocument(
  ctx: Context,
  asking: Asking,
  { document }: Extract<Asked, { kind: 'correction' }>,
): Promise<Result<About, Refusal>> {
  // An officer has the registry's own ways to have something corrected.
  if (asking.kind === 'privacy-officer') return forbidden('operation-not-for-caller')
  const { person } = asking
  const loaded = await ctx.load(() => ({
    records: [sourcesOf(person), ...askedOf(asking), documentOf(document, person)],
  }))
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  const [sources = [], days, open, , documents] = records
  if (!isSame(caller, asking)) return forbidden('person-unknown')
  if (isTooMany(open)) return tooMany
  const found = firstRow(documents)
  return ok({
    caller,
    sourceRecord: String(found?.source_record ?? sourceFor(caller, sources)?.id ?? ''),
    persons: [person],
    accessor: { professional: '', issuer: '', subject: '' },
    organisation: String(found?.organisation ?? ''),
    days: Number(firstRow(days)?.days),
  })
}

/** The deadline, how many are open, and under which ids the log speaks of the person who asks. */
const askedOf = (asking: Asking): readonly Statement[] => {
  const person = asking.kind === 'privacy-officer' ? '' : asking.person
  return [daysStatement, openQuestions(person), personIdsStatement(person)]
}

/** Source records that are, or were before they were joined, of the person of this id. */
const sourcesOf = (person: string): Statement => ({
  sql: `
    select id, person from source_record where person = :person
    union
    select s.id, s.person from source_record_version as v indexed by source_record_version_person
      cross join source_record as s on s.id = v.id where v.person = :person
    order by id limit ${limits.maxJoinedSourceRecords}`,
  args: { person },
})

/** A shared document of the person, and the organisation that published it. */
const documentOf = (document: string, person: string): Statement => {
  const [type = '', id = ''] = document.split('/')
  return {
    sql: `
      select d.source_record, f.organisation from document as d
      cross join source_record as s on s.id = d.source_record
      left join facility as f on f.id = d.facility and f.valid_to is null
      where d.type = :type and d.id = :id and s.person = :person`,
    args: { type, id, person },
  }
}

/** Of several persons who were one then, the asker; to an officer none, since nobody can tell. */
function sourceFor(caller: Asking, sources: Rows): { readonly id: string; readonly person: string } | null {
  const rows = sources.map(({ id, person }) => ({ id: String(id), person: String(person) }))
  if (caller.kind !== 'privacy-officer') return rows.find(({ person }) => person === caller.person) ?? null
  const [first] = rows
  return first && rows.every(({ person }) => person === first.person) ? first : null
}

/** Who the caller is may have changed between two batches: the last one holds. */
export function isSame(caller: { readonly kind: string }, asking: Asking): caller is Asking {
  if (caller.kind !== asking.kind) return false
  const now = caller as Asking
  return now.kind === 'privacy-officer'
    ? asking.kind === 'privacy-officer' && now.organisation === asking.organisation
    : asking.kind !== 'privacy-officer' && now.person === asking.person
}

const isTooMany = (rows: Rows | undefined): boolean => Number(firstRow(rows)?.open) >= limits.maxOpenQuestions

const tooMany = conflict(
  'text',
  `Vous avez ${limits.maxOpenQuestions} questions sans réponse : ajoutez à l’une d’elles, ou retirez-en une.`,
  `You have ${limits.maxOpenQuestions} questions without an answer: add to one of them, or withdraw one.`,
)

async function record(ctx: Context, asked: Asked, about: About): Promise<Result<Disclosure, Refusal>> {
  const { caller, persons, days } = about
  const id = newId()
  const at = new Date(ctx.now).toISOString()
  const due = dueAfter(ctx.now, days)
  const what = asked.kind === 'access' ? { entry: asked.entry } : { document: asked.document }
  const intended = await ctx.intend({ question: id, kind: asked.kind, ...what })
  if (!intended.ok) return intended
  const { clock } = await writeBatch(intended.value.records, {
    key: ctx.requestId,
    sources: about.sourceRecord === '' ? [] : [about.sourceRecord],
    statements: addQuestion({
      ...{ entry: '', document: '' },
      ...asked,
      id,
      at,
      due,
      sourceRecord: about.sourceRecord,
      accessor: about.accessor,
      organisation: about.organisation,
      askedBy: askerOf(caller),
      capacity: caller.kind,
    }),
    outcome: [],
  })
  const body = { id, kind: asked.kind, ...what, state: 'received', at, due }
  const disclosure = answer(201, body, persons, caller.kind, clock)
  return ok({ ...disclosure, note: { question: id, kind: asked.kind, ...what } })
}

/** Person id or registry id. */
export function askerOf(caller: Asking): string {
  switch (caller.kind) {
    case 'patient':
      return caller.person
    case 'guardian':
      return caller.guardian
    case 'privacy-officer':
      return caller.professional
  }
}
