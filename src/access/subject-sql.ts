/** The facts about whom a page is about, in one statement of the request's batch. */
import { limits } from '../limits.ts'
import type { Row, Rows, SqlValue, Statement } from '../store/ports.ts'
import { current, type Holds } from './caller-sql.ts'
import { firstPublishedColumn } from './first-published.ts'
import type { DecidedDocument } from './policy.ts'
import type { BreakGlass, ConsentRule, Relationship, Subject, SubjectOf } from './subject.ts'

export interface SubjectQuestion {
  readonly of: SubjectOf
  /** Id of the caller's facility; null: no relationship is held at none. */
  readonly facility: string | null
  /** Registry id of the caller; null: only what holds for everybody at the facility. */
  readonly professional: string | null
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The persons, by how the page finds them. */
function personsOf(of: SubjectOf): { readonly sql: string; readonly args: Record<string, SqlValue> } {
  switch (of.by) {
    case 'patient':
      return {
        sql: 'select person from source_record where id = :subject_id',
        args: { subject_id: of.id },
      }
    case 'identifier':
      return {
        sql: `select distinct s.person from person_key as k cross join source_record as s on s.id = k.source_record
    where k.system = :subject_system and k.value = :subject_value
      and (:subject_birth_date is null or k.birth_date = :subject_birth_date)
    limit ${limits.maxAccessPatients + 1}`,
        args: { subject_system: of.system, subject_value: of.value, subject_birth_date: of.birthDate },
      }
    case 'document':
      // Of one that is there no more, whom its last version was about.
      return {
        sql: `select person from document where type = :subject_type and id = :subject_id and person <> ''
    union select person from source_record where id = coalesce(nullif(:subject_source, ''), (
      select source_record from document_version where type = :subject_type and id = :subject_id
      order by version desc limit 1))`,
        args: { subject_type: of.type, subject_id: of.id, subject_source: of.sourceRecord },
      }
    case 'rows':
      return {
        sql: `select person from (select distinct person from (${of.sql}) where person <> '' limit ${limits.maxAccessPatients + 1})
    union select person from source_record where id in (select value from json_each(:subject_sources))`,
        args: { ...of.args, subject_sources: JSON.stringify(of.sourceRecords) },
      }
    case 'person':
      return { sql: 'select :subject_person as person', args: { subject_person: of.person } }
  }
}

/** The source records of write clock `:as_of` and the persons they were about then. */
export const sourcesAsOf = `(select id, person from source_record where clock <= :as_of
    union all select id, person from source_record_version where clock <= :as_of and until > :as_of)`

/**
 * One statement, the same whatever it finds. Rows: `fact` and what that is made of, in `a` to `g`. Consent rules come whole
 * (a cut list would permit); relationships need only be enough to find one.
 */
export function subjectStatement(
  { of, facility, professional, now }: SubjectQuestion,
  holds: Holds = current,
  holdsArgs: Readonly<Record<string, SqlValue>> = {},
  sources = 'source_record',
): Statement {
  const { sql, args } = personsOf(of)
  // Of a document found by id also what decides about it: the log says exactly why it was withheld.
  const document =
    of.by === 'document'
      ? `
union all
select 'document', d.person, 0, d.source_record, d.facility, d.domain, d.confidentiality, d.date_lo, ${firstPublishedColumn('d')}, ''
from document as d where d.type = :subject_type and d.id = :subject_id`
      : ''
  return {
    sql: `with subject as materialized (${sql})
select 'rule' as fact, u.person, k.row, k.kind as a, k.consent as b, k.before_date as c, k.actor_kind as d, k.actor as e,
  k.what_kind as f, k.what as g
from subject as u cross join ${sources} as s on s.person = u.person
  cross join consent_rule as k on k.source_record = s.id where ${holds('k')}
union all
select 'source', u.person, 0, s.id, '', '', '', '', '', ''
from subject as u cross join ${sources} as s on s.person = u.person
union all
select 'break-glass', u.person, b.row, b.id, b.professional, b.reason, '', '', '', ''
from subject as u cross join ${sources} as s on s.person = u.person
  cross join break_glass as b on b.source_record = s.id
where b.facility = :subject_facility and b.professional = :subject_professional and b.starts <= :now and b.ends > :now and ${holds('b')}
union all
select * from (
  select 'relationship', u.person, r.row, r.kind, r.professional, '', '', '', '', ''
  from subject as u cross join ${sources} as s on s.person = u.person
    cross join relationship as r on r.source_record = s.id
  where r.facility = :subject_facility and r.professional in ('', :subject_professional) and r.starts <= :now and r.ends > :now and ${holds('r')}
  limit ${limits.maxRelationshipFacts})${document}`,
    args: { ...args, ...holdsArgs, subject_facility: facility, subject_professional: professional, now },
  }
}

export interface SubjectFacts {
  readonly subjects: readonly Subject[]
  /** Of a document asked for by id, where *records* has it: told to the audit log only. */
  readonly document: DecidedDocument | null
}

export function readSubjects(rows: Rows, of: SubjectOf): SubjectFacts {
  const persons = new Map<string, { -readonly [K in keyof Subject]: Mutable<Subject[K]> }>()
  let document: DecidedDocument | null = null
  for (const row of rows) {
    const person = String(row.person)
    if (row.fact === 'document') {
      if (of.by === 'document') document = documentOf(row, of.type, of.id)
      continue
    }
    let subject = persons.get(person)
    if (!subject) {
      subject = { person, sourceRecords: [], relationships: [], rules: [], breakGlass: [] }
      persons.set(person, subject)
    }
    if (row.fact === 'source') subject.sourceRecords.push(String(row.a))
    else if (row.fact === 'rule') subject.rules.push(ruleOf(row))
    else if (row.fact === 'relationship') subject.relationships.push(relationshipOf(row))
    else subject.breakGlass.push(breakGlassOf(row))
  }
  return { subjects: [...persons.values()], document }
}

type Mutable<T> = T extends readonly (infer Item)[] ? Item[] : T

const ruleOf = (row: Row): ConsentRule => ({
  row: Number(row.row),
  kind: row.a as ConsentRule['kind'],
  consent: String(row.b),
  before: String(row.c),
  actorKind: row.d as ConsentRule['actorKind'],
  actor: String(row.e),
  whatKind: row.f as ConsentRule['whatKind'],
  what: String(row.g),
})

const relationshipOf = (row: Row): Relationship => ({
  row: Number(row.row),
  kind: row.a as Relationship['kind'],
  professional: String(row.b),
})

const breakGlassOf = (row: Row): BreakGlass => ({
  row: Number(row.row),
  id: String(row.a),
  professional: String(row.b),
  reason: String(row.c),
})

const documentOf = (row: Row, type: string, id: string): DecidedDocument => ({
  type,
  id,
  sourceRecord: String(row.a),
  facility: String(row.b),
  domain: String(row.c),
  confidentiality: String(row.d),
  dateLo: String(row.e),
  firstPublished: String(row.f),
})
