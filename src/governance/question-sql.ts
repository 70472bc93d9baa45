/** Questions and their events as rows: the statements that read and write them. */
import type { Statement } from '../store/ports.ts'
import { type Asking, type Outcome, openStates, type State } from './question-terms.ts'

/** Columns of a question `q` with its current event `e`. */
const columns = `q.id, q.kind, q.source_record, q.entry, q.document, q.text, q.at, q.asked_by, q.capacity, q.professional, q.issuer,
      q.subject, e.version, e.state, e.organisation, e.due, e.at as changed_at`

/**
 * What is told of each row of a page: whom it is about, the last answer, names as they are now. `page` selects `columns` and
 * is small; the order is `at`, `id`, newest first.
 */
const toldOf = (page: string): string => `
  with page as materialized (${page})
  select p.*, s.person, a.text as answer, a.outcome, a.reason, a.at as answered_at,
    (select min(name) from professional where id = a.done_by and valid_to is null) as answered_by,
    (select min(name) from professional where id = p.professional and valid_to is null) as professional_name,
    (select name from organisation where id = p.organisation and valid_to is null) as organisation_name,
    (select value from policy_setting where name = 'question-days' and valid_to is null) as days
  from page as p
  left join source_record as s on s.id = p.source_record
  left join question_event as a on a.question = p.id and a.version = (
    select max(version) from question_event where question = p.id and state = 'answered')
  order by p.at desc, p.id desc`

export const questionStatement = (id: string): Statement => ({
  sql: toldOf(`
    select ${columns} from question as q cross join question_event as e on e.question = q.id and e.valid_to is null
    where q.id = :question`),
  args: { question: id },
})

export const eventsStatement = (id: string): Statement => ({
  sql: `
    select version, state, organisation, due, at, done_by, capacity, text, outcome, reason,
      (select min(name) from professional where id = e.done_by and valid_to is null) as name
    from question_event as e where question = :question order by version`,
  args: { question: id },
})

export interface Wanted {
  readonly at: string
  readonly id: string
  readonly count: number
  readonly states: readonly State[]
  readonly kind: string | null
}

const isWanted = `(:kind is null or q.kind = :kind) and e.state in (select value from json_each(:states))`

const wantedArgs = ({ states, ...wanted }: Wanted) => ({ ...wanted, states: JSON.stringify(states) })

/** Of the whole record. */
export const allQuestions = (wanted: Wanted): Statement => ({
  sql: toldOf(`
    select ${columns} from question as q indexed by question_at
    cross join question_event as e on e.question = q.id and e.valid_to is null
    where (q.at, q.id) < (:at, :id) and ${isWanted} order by q.at desc, q.id desc limit :count`),
  args: wantedArgs(wanted),
})

/** Those for the officers of one organisation. */
export const organisationQuestions = (organisation: string, wanted: Wanted): Statement => ({
  sql: toldOf(`
    select ${columns} from question_event as e indexed by question_event_addressee
    cross join question as q on q.id = e.question
    where e.valid_to is null and e.organisation = :organisation and (e.asked_at, e.question) < (:at, :id)
      and ${isWanted}
    order by e.asked_at desc, e.question desc limit :count`),
  args: { ...wantedArgs(wanted), organisation },
})

/** Asked by the person, or by a guardian of theirs: what officers look into of themselves is not told. */
export const personQuestions = (person: string, wanted: Wanted): Statement => ({
  sql: toldOf(`
    select ${columns} from source_record as s cross join question as q on q.source_record = s.id
    cross join question_event as e on e.question = q.id and e.valid_to is null
    where s.person = :person and q.capacity <> 'privacy-officer' and (q.at, q.id) < (:at, :id) and ${isWanted}
    order by q.at desc, q.id desc limit :count`),
  args: { ...wantedArgs(wanted), person },
})

/** One row, `open`: questions of the person that are to be answered. */
export const openQuestions = (person: string): Statement => ({
  sql: `
    select count(*) as open from source_record as s cross join question as q on q.source_record = s.id
    cross join question_event as e on e.question = q.id and e.valid_to is null
    where s.person = :person and q.capacity <> 'privacy-officer' and e.state in (select value from json_each(:states))`,
  args: { person, states: JSON.stringify(openStates) },
})

/** One row, `days`: within how many a question is to be answered. */
export const daysStatement: Statement = {
  sql: `select value as days from policy_setting where name = 'question-days' and valid_to is null`,
}

export interface NewQuestion {
  readonly id: string
  readonly kind: 'access' | 'correction'
  /** '' : about nobody. */
  readonly sourceRecord: string
  /** `<log>/<index>`, or ''. */
  readonly entry: string
  /** `Type/id`, or ''. */
  readonly document: string
  readonly text: string
  readonly askedBy: string
  readonly capacity: Asking['kind']
  readonly accessor: { readonly professional: string; readonly issuer: string; readonly subject: string }
  /** '' : for the officers of the whole record. */
  readonly organisation: string
  /** ISO 8601 UTC. */
  readonly at: string
  readonly due: string
}

export const addQuestion = (question: NewQuestion): readonly Statement[] => {
  const { id, kind, sourceRecord, entry, document, text, askedBy, capacity, accessor, at } = question
  return [
    {
      sql: `
        insert into question (id, kind, source_record, entry, document, text, at, asked_by, capacity, professional,
          issuer, subject, valid_from)
        select :question, :kind, :source, :entry, :document, :text, :at, :by, :capacity, :professional, :issuer,
          :subject, n from clock`,
      args: {
        ...{ question: id, kind, source: sourceRecord, entry, document, text, at, by: askedBy, capacity },
        ...accessor,
      },
    },
    addEvent({
      question: id,
      version: 1,
      state: 'received',
      organisation: question.organisation,
      askedAt: at,
      due: question.due,
      at,
      by: askedBy,
      capacity,
    }),
  ]
}

export interface NewEvent {
  readonly question: string
  readonly version: number
  readonly state: State
  readonly organisation: string
  readonly askedAt: string
  readonly due: string
  readonly at: string
  readonly by: string
  readonly capacity: Asking['kind']
  readonly text?: string
  readonly outcome?: Outcome | ''
  readonly reason?: string
}

/** Somebody else's event of the same number makes the batch fail: each answers what they have read. */
const addEvent = ({ text = '', outcome = '', reason = '', askedAt, ...event }: NewEvent): Statement => ({
  sql: `
    insert into question_event (question, version, state, organisation, asked_at, due, at, done_by, capacity, text,
      outcome, reason, valid_from)
    select :question, :version, :state, :organisation, :asked_at, :due, :at, :by, :capacity, :text, :outcome, :reason, n
    from clock`,
  args: { ...event, asked_at: askedAt, text, outcome, reason },
})

export const followEvent = (event: NewEvent): readonly Statement[] => [
  {
    sql: `
      update question_event set valid_to = (select n from clock)
      where question = :question and version < :version and valid_to is null`,
    args: { question: event.question, version: event.version },
  },
  addEvent(event),
]
