/** What is told of a question: to whoever asked, and to the officers who answer. Pure. */
import type { Row, Rows } from '../store/ports.ts'
import {
  type Accessor,
  type Asking,
  eventName,
  isOverdue,
  type Outcome,
  type QuestionKind,
  type State,
} from './question-terms.ts'
import { recourse } from './question-text.ts'

/** A row of `question-sql.ts`. */
export interface StoredQuestion {
  readonly id: string
  readonly kind: QuestionKind
  /** '' : about nobody. */
  readonly sourceRecord: string
  readonly entry: string
  readonly document: string
  readonly text: string
  readonly at: string
  readonly capacity: Asking['kind']
  readonly accessor: Accessor
  readonly accessorName: string | null
  /** Null: about nobody the record knows. */
  readonly person: string | null
  readonly version: number
  readonly state: State
  readonly organisation: string
  readonly organisationName: string | null
  readonly due: string
  readonly changedAt: string
  /** Within how many a question is to be answered. */
  readonly days: number
  readonly answer: {
    readonly text: string
    readonly outcome: Outcome | ''
    readonly reason: string
    readonly at: string
    readonly by: string | null
  } | null
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null)

export const storedQuestion = (row: Row): StoredQuestion => ({
  id: String(row.id),
  kind: row.kind as QuestionKind,
  sourceRecord: String(row.source_record),
  entry: String(row.entry),
  document: String(row.document),
  text: String(row.text),
  at: String(row.at),
  capacity: row.capacity as Asking['kind'],
  accessor: {
    professional: String(row.professional),
    issuer: String(row.issuer),
    subject: String(row.subject),
  },
  accessorName: textOrNull(row.professional_name),
  person: textOrNull(row.person),
  version: Number(row.version),
  state: row.state as State,
  organisation: String(row.organisation),
  organisationName: textOrNull(row.organisation_name),
  due: String(row.due),
  changedAt: String(row.changed_at),
  days: Number(row.days),
  answer:
    row.answered_at === null
      ? null
      : {
          text: String(row.answer),
          outcome: row.outcome as Outcome | '',
          reason: String(row.reason),
          at: String(row.answered_at),
          by: textOrNull(row.answered_by),
        },
})

/** Null where the caller may not know that there is such a question. */
export function visibleTo(caller: Asking, question: StoredQuestion): boolean {
  if (caller.kind !== 'privacy-officer')
    return question.person === caller.person && question.capacity !== 'privacy-officer'
  return caller.organisation === null || caller.organisation === question.organisation
}

/** How the reader is told. */
export interface Reading {
  readonly caller: Asking
  /** Milliseconds since 1970. */
  readonly now: number
  readonly language: 'fr' | 'en'
}

/**
 * Whoever asked is not told for whom a request for correction is: that would tell whether there is such a document, which
 * they do not read here.
 */
export function tellQuestion(question: StoredQuestion, { caller, now, language }: Reading) {
  const { id, kind, entry, document, text, at, state, due, changedAt, answer } = question
  return {
    id,
    kind,
    ...(kind === 'access' ? { entry } : { document }),
    text,
    at,
    state,
    changedAt,
    due,
    overdue: isOverdue(state, due, now),
    answer:
      answer === null
        ? null
        : {
            text: answer.text,
            at: answer.at,
            by: answer.by,
            ...(answer.outcome === '' ? {} : { outcome: answer.outcome }),
            ...(answer.reason === '' ? {} : { reason: answer.reason }),
            ...recourseOf(answer.outcome, language),
          },
    ...(caller.kind === 'privacy-officer' ? forOfficers(question) : {}),
  }
}

function recourseOf(outcome: Outcome | '', language: 'fr' | 'en') {
  const told = recourse(outcome, language)
  return told === null ? {} : { recourse: told }
}

const forOfficers = (question: StoredQuestion) => ({
  patient: question.sourceRecord === '' ? null : `Patient/${question.sourceRecord}`,
  askedAs: question.capacity,
  organisation:
    question.organisation === '' ? null : { id: question.organisation, name: question.organisationName },
  professional:
    question.accessor.professional === ''
      ? null
      : { id: question.accessor.professional, name: question.accessorName },
})

/** Oldest first. Whoever asked reads what was said to them and what they said, and when something was done. */
export function tellEvents(rows: Rows, { caller }: Reading) {
  const isOfficer = caller.kind === 'privacy-officer'
  return rows.map((row) => {
    const { version, at, text, outcome, reason, name } = row
    const state = row.state as State
    const capacity = row.capacity as Asking['kind']
    const event = eventName(Number(version), state, capacity)
    const isTold = isOfficer || event === 'answered'
    return {
      event,
      state,
      at,
      as: capacity,
      ...(text === '' ? {} : { text }),
      ...(isTold && outcome !== '' ? { outcome } : {}),
      ...(isTold && reason !== '' ? { reason } : {}),
      ...(isTold && capacity === 'privacy-officer' ? { by: { id: row.done_by, name } } : {}),
      ...(isOfficer ? { organisation: row.organisation === '' ? null : row.organisation } : {}),
    }
  })
}
