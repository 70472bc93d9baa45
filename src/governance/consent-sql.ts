/** The register in SQL: one current row per consent, its earlier versions, and the rules of the active ones. */
import { limits } from '../limits.ts'
import type { Row, Statement } from '../store/ports.ts'
import { type ConsentContent, type ConsentVersion, contentBody } from './consent-resource.ts'
import { type Actor, rulesOf, type Scope } from './consent-scope.ts'
import type { Capacity } from './consent-terms.ts'
import { sourcesOfPerson } from './keeper.ts'

const columns = `c.id, c.version, c.source_record, c.status, c.body, c.recorded_at, c.recorded_by, c.capacity, c.means,
  c.system`

/**
 * With the person, the organisations (JSON array) that know the person, and those of which who recorded it is a privacy
 * officer.
 */
const withPerson = `${columns}, s.person, (
    select json_group_array(r.organisation) from professional_role as r
    where c.capacity = 'privacy-officer' and r.professional = c.recorded_by and r.role = 'privacy-officer'
      and r.valid_to is null) as recorders, (
    select json_group_array(distinct f.organisation) from source_record as o
    cross join facility as f on f.id = o.facility and f.valid_to is null
    where o.person = s.person) as organisations
  from consent as c cross join source_record as s on s.id = c.source_record`

export interface StoredConsent extends ConsentVersion {
  readonly sourceRecord: string
}

export const storedConsent = (row: Row): StoredConsent => ({
  id: row.id as string,
  version: Number(row.version),
  sourceRecord: row.source_record as string,
  status: row.status as StoredConsent['status'],
  body: row.body as string,
  recordedAt: row.recorded_at as string,
  recordedBy: row.recorded_by as string,
  capacity: row.capacity as Capacity,
  means: row.means as string,
  system: row.system as string,
})

export const currentConsent = (id: string): Statement => ({
  sql: `select ${withPerson} where c.id = :id and c.valid_to is null`,
  args: { id },
})

/** Newest version first. */
export const consentHistory = (id: string): Statement => ({
  sql: `select ${withPerson} where c.id = :id order by c.version desc`,
  args: { id },
})

/** Of all source records of the person, newest first; one more than a person may have. */
export const consentsOfPerson = (sourceRecord: string): Statement => ({
  sql: `
    select ${columns} from consent as c
    where c.source_record in (${sourcesOfPerson}) and c.valid_to is null
    order by c.recorded_at desc, c.id limit ${limits.maxPageRows + 1}`,
  args: { source: sourceRecord },
})

/** How many consents the person has, cancelled ones included: a row of `consents`. */
export const consentCount = (sourceRecord: string): Statement => ({
  sql: `
    select count(*) as consents from consent where source_record in (${sourcesOfPerson}) and valid_to is null`,
  args: { source: sourceRecord },
})

/** Source records by which guardians of the person are registered: rows of `guardian`. */
export const guardiansOf = (sourceRecord: string): Statement => ({
  sql: `
    select distinct guardian from guardianship where source_record in (${sourcesOfPerson}) and valid_to is null`,
  args: { source: sourceRecord },
})

/** Of these actors, by position, those the registry does not know and the person's register has never named. */
export const unknownActors = (sourceRecord: string, actors: readonly Actor[]): Statement => ({
  sql: `
    select a.key as position from json_each(:actors) as a
    where not exists (
        select 1 from consent_rule as k where k.source_record = :source
          and k.actor_kind = a.value ->> 0 and k.actor = a.value ->> 1)
      and not case a.value ->> 0
        when 'professional' then exists (
          select 1 from professional_role where professional = a.value ->> 1 and valid_to is null)
        when 'facility' then exists (select 1 from facility where id = a.value ->> 1 and valid_to is null)
        when 'organisation' then exists (select 1 from organisation where id = a.value ->> 1 and valid_to is null)
        else exists (select 1 from role_domain where role = a.value ->> 1 and valid_to is null)
      end`,
  args: { source: sourceRecord, actors: JSON.stringify(actors.map(({ kind, id }) => [kind, id])) },
})

/** Who records a version, when and through what. */
export interface Recording {
  readonly id: string
  readonly content: ConsentContent
  /** ISO 8601 UTC. */
  readonly recordedAt: string
  readonly recordedBy: string
  readonly capacity: Capacity
  readonly means: string
  readonly system: string
}

const versionArgs = ({ id, content, recordedAt, recordedBy, capacity, means, system }: Recording) => ({
  id,
  source: content.patient,
  status: content.status,
  body: JSON.stringify(contentBody(content)),
  recorded_at: recordedAt,
  recorded_by: recordedBy,
  capacity,
  means,
  system,
})

/** An active consent of the person that says the same. */
const sameInForce = `
  from consent as c where c.source_record in (${sourcesOfPerson}) and c.valid_to is null and c.status = 'active'
    and c.body -> '$.provision' = :body -> '$.provision'`

/** Version 1; nothing when the person has said the same already: sent again, it must not have to be cancelled twice. */
export function createConsent(recording: Recording): readonly Statement[] {
  return [
    {
      sql: `
        insert into consent (id, version, source_record, status, body, recorded_at, recorded_by, capacity, means, system,
          valid_from)
        select :id, 1, :source, :status, :body, :recorded_at, :recorded_by, :capacity, :means, :system, n from clock
        where not exists (select 1 ${sameInForce})`,
      args: versionArgs(recording),
    },
    ...addRules(recording),
  ]
}

/** What `createConsent` came to: its own row, or the one that was there. */
export const createdConsent = ({ content }: Recording): Statement => ({
  sql: `select ${columns} ${sameInForce} order by c.valid_from limit 1`,
  args: { source: content.patient, body: JSON.stringify(contentBody(content)) },
})

/**
 * The next version. With `expected`, the batch fails with `conflict` unless the current version is one of them: decided
 * at the primary, so that of two who saw the same version one comes too late.
 */
export function replaceConsent(
  recording: Recording,
  expected: readonly number[] | null,
): readonly Statement[] {
  const { id } = recording
  return [
    ...(expected === null
      ? []
      : [
          {
            sql: `
              insert into refused (reason) select 'conflict' where not exists (
                select 1 from consent where id = :id and valid_to is null
                  and version in (select value from json_each(:expected)))`,
            args: { id, expected: JSON.stringify(expected) },
          },
        ]),
    {
      sql: 'update consent set valid_to = (select n from clock) where id = :id and valid_to is null',
      args: { id },
    },
    {
      sql: 'update consent_rule set valid_to = (select n from clock) where consent = :id and valid_to is null',
      args: { id },
    },
    {
      sql: `
        insert into consent (id, version, source_record, status, body, recorded_at, recorded_by, capacity, means, system,
          valid_from)
        select :id, (select max(version) + 1 from consent where id = :id), :source, :status, :body, :recorded_at,
          :recorded_by, :capacity, :means, :system, n from clock`,
      args: versionArgs(recording),
    },
    ...(recording.content.status === 'active' ? addRules(recording) : []),
  ]
}

/** The version written under `key`. */
export const replacedConsent = (id: string, key: string): Statement => ({
  sql: `
    select ${columns} from consent as c
    where c.id = :id and c.valid_from = (select clock from write_key where key = :key)`,
  args: { id, key },
})

const addRules = ({ id, content }: Recording): readonly Statement[] => [
  {
    sql: `
      insert into consent_rule (consent, source_record, kind, before_date, actor_kind, actor, what_kind, what, valid_from)
      select distinct :id, :source, r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4,
        r.value ->> 5, n
      from clock, json_each(:rules) as r
      where exists (select 1 from consent where id = :id and valid_to is null)`,
    args: { id, source: content.patient, rules: ruleList(content.scope) },
  },
]

const ruleList = (scope: Scope): string =>
  JSON.stringify(
    rulesOf(scope).map(({ kind, before, actorKind, actor, whatKind, what }) => [
      kind,
      before,
      actorKind,
      actor,
      whatKind,
      what,
    ]),
  )
