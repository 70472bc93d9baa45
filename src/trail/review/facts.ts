/** What *records* knows about those whom a batch of accesses names: who they are, who cares for whom, what was decided. */
import { limits } from '../../limits.ts'
import type { Row, Rows, Statement } from '../../store/ports.ts'
import type { AccessEntry } from './entries.ts'
import type { Month } from './month.ts'
import { fullName, type Particulars, particularsOf } from './names.ts'

/** Reads *records*, as whoever asks may still do. */
export type ReadRecords = (statements: readonly Statement[]) => Promise<readonly Rows[]>

/** A patient whom the log names. */
export interface KnownPatient extends Particulars {
  /** Person id of today: joining source records changes it. */
  readonly person: string
  /** Server id of one `Patient`. */
  readonly sourceRecord: string
}

export interface HeldRelationship {
  readonly patient: string
  readonly kind: string
  readonly facility: string
  /** The empty string: everybody there. */
  readonly professional: string
  /** Milliseconds since 1970, `ends` exclusive. */
  readonly starts: number
  readonly ends: number
  /** Write clocks. */
  readonly validFrom: number
  readonly validTo: number
  /** When its encounter was first published, in milliseconds; null: it is of no encounter. */
  readonly published: number | null
  /** When that encounter itself began; null: it does not say. */
  readonly began: number | null
  /** Documents of the facility about the patient beside it, counted up to a bound, and only of one published lately. */
  readonly documents: number
}

export interface Emergency {
  readonly patient: string
  readonly professional: string
  readonly facility: string
  readonly starts: number
  readonly ends: number
  /** Of its review item; null: none yet. */
  readonly decision: string | null
  /** When encounters of the patient began there. */
  readonly encounters: readonly number[]
}

export interface Watched {
  readonly patient: string
  readonly reason: string
  readonly starts: number
  readonly ends: number
}

export interface PastDecision {
  readonly finding: string
  readonly month: string
  readonly rule: string
  readonly professional: string
  /** Person id of today; the empty string: about no one patient. */
  readonly person: string
  readonly decision: string
  readonly note: string
  readonly mutedUntil: string
  readonly by: string
  readonly at: string
}

export interface Facts {
  /** By the id that the log has. */
  readonly patients: ReadonlyMap<string, KnownPatient>
  /** The professionals' own records, by professional. */
  readonly own: ReadonlyMap<string, KnownPatient>
  /** By patient (log's id): professionals whose own record it is, with the facilities where they have a role. */
  readonly colleagues: ReadonlyMap<
    string,
    readonly { readonly professional: string; readonly facility: string }[]
  >
  /** `facility|full name` → professional with a role there. */
  readonly namesakes: ReadonlyMap<string, string>
  readonly facilityTypes: ReadonlyMap<string, string>
  readonly relationships: ReadonlyMap<string, readonly HeldRelationship[]>
  readonly emergencies: readonly Emergency[]
  readonly watched: ReadonlyMap<string, readonly Watched[]>
  /** Newest first. */
  readonly decisions: readonly PastDecision[]
  /** A list was longer than its bound. */
  readonly isCut: boolean
}

/** Source records of the persons, as they are and as they were before they were joined with others. */
const mine = `mine (patient, id) as materialized (
  select who.value, s.id from json_each(:patients) as who cross join source_record as s on s.person = who.value
  union
  select who.value, v.id from json_each(:patients) as who
    cross join source_record_version as v on v.person = who.value)`

const particulars = `json_extract(d.body, '$.name') as names, json_extract(d.body, '$.address') as addresses
  from %
  cross join source_record as s on s.id = %.id
  left join document as d on d.type = 'Patient' and d.id = s.id`

interface Asked {
  readonly patients: readonly string[]
  readonly professionals: readonly string[]
  readonly facilities: readonly string[]
  readonly month: Month
}

/** In the order in which `factsOf` takes their rows. */
export function factStatements({ patients, professionals, facilities, month }: Asked): readonly Statement[] {
  const args = { patients: JSON.stringify(patients) }
  const who = { professionals: JSON.stringify(professionals) }
  const where = { facilities: JSON.stringify(facilities) }
  const limit = limits.maxReviewFacts
  return [
    {
      sql: `with ${mine} select mine.patient, s.id as source_record, s.person, ${particulars.replaceAll('%', 'mine')}
        order by mine.patient, s.id limit :limit`,
      args: { ...args, limit },
    },
    {
      sql: `with own (professional, id) as materialized (
          select p.professional, p.source_record from json_each(:professionals) as who
          cross join professional_person as p on p.professional = who.value and p.valid_to is null)
        select own.professional, s.id as source_record, s.person, ${particulars.replaceAll('%', 'own')} limit :limit`,
      args: { ...who, limit },
    },
    {
      sql: `with ${mine} select distinct mine.patient, p.professional, r.facility from mine
        cross join source_record as s on s.id = mine.id cross join source_record as other on other.person = s.person
        cross join professional_person as p on p.source_record = other.id and p.valid_to is null
        cross join professional_role as r on r.professional = p.professional and r.valid_to is null
        limit :limit`,
      args: { ...args, limit },
    },
    {
      sql: `select f.id, f.type from json_each(:facilities) as w
        cross join facility as f on f.id = w.value and f.valid_to is null`,
      args: where,
    },
    {
      sql: `select distinct r.facility, p.id, p.name from json_each(:facilities) as w
        cross join professional_role as r on r.facility = w.value and r.valid_to is null
        cross join professional as p on p.id = r.professional and p.valid_to is null limit :limit`,
      args: { ...where, limit },
    },
    {
      sql: `with ${mine} select mine.patient, r.kind, r.facility, r.professional, r.starts, r.ends, r.valid_from, r.valid_to,
          iif(r.kind = 'encounter', ${published}, null) as published,
          iif(r.kind = 'encounter', ${began}, null) as began,
          iif(r.kind = 'encounter' and ${published} >= :fromText, (
            select count(*) from (select 1 from document as o
              where o.person = s.person and o.facility = r.facility and o.type not in ('Patient', 'Encounter')
              limit :documents)), 0) as documents
        from mine cross join source_record as s on s.id = mine.id
        cross join relationship as r on r.source_record = mine.id
        where r.starts < :to and r.ends > :from and r.facility in (select value from json_each(:facilities))
        limit :limit`,
      args: {
        ...args,
        ...where,
        from: month.from,
        to: month.to,
        fromText: new Date(month.from - 31 * 24 * hourMs).toISOString(),
        documents: limits.maxReviewThreshold,
        limit,
      },
    },
    {
      sql: `with ${mine} select distinct mine.patient, b.professional, b.facility, b.starts, b.ends, v.decision, (
            select json_group_array(e.starts) from (
              select r.starts from source_record as me cross join source_record as s on s.person = me.person
              cross join relationship as r on r.source_record = s.id and r.facility = b.facility
              where me.id = b.source_record and r.kind = 'encounter' and r.valid_to is null
                and r.starts >= b.starts - :reach and r.starts <= b.starts + :reach limit :encounters) as e) as encounters
        from mine cross join break_glass as b on b.source_record = mine.id
        left join review_decision as v on v.item = b.id
        where b.starts < :to and b.ends > :from and b.professional in (select value from json_each(:professionals))
        limit :limit`,
      args: {
        ...args,
        ...who,
        from: month.from,
        to: month.to,
        reach: limits.maxFollowUpDays * 24 * hourMs,
        encounters: limits.maxRelationshipFacts,
        limit,
      },
    },
    {
      sql: `with ${mine} select distinct mine.patient, w.reason, w.starts, w.ends from mine
        cross join source_record as me on me.id = mine.id cross join source_record as s on s.person = me.person
        cross join watch_list as w on w.source_record = s.id and w.valid_to is null limit :limit`,
      args: { ...args, limit },
    },
    {
      sql: `select d.finding, d.month, d.rule, d.professional, coalesce(s.person, '') as person, d.decision, d.note,
          d.muted_until, d.decided_by, d.decided_at
        from json_each(:professionals) as who cross join finding_decision as d on d.professional = who.value
        left join source_record as s on s.id = d.source_record
        order by d.row desc limit :limit`,
      args: { ...who, limit },
    },
  ]
}

const hourMs = 3_600_000

/** First publication of the encounter `Encounter/<id>` that relationship `r` rests on. */
const published = `coalesce(
  (select v.published from document_version as v where v.type = 'Encounter' and v.id = substr(r.source, 11)
    order by v.version limit 1),
  (select d.published from document as d where d.type = 'Encounter' and d.id = substr(r.source, 11)))`

/** What the encounter says of its beginning. */
const began = `(select d.body ->> '$.period.start' from document as d
  where d.type = 'Encounter' and d.id = substr(r.source, 11))`

/** Of the accesses of a batch; asked in lists of `limits.reviewPatientsPerList` patients. */
export async function readFacts(
  read: ReadRecords,
  entries: readonly AccessEntry[],
  month: Month,
): Promise<Facts> {
  const distinct = (of: (entry: AccessEntry) => string): readonly string[] => [...new Set(entries.map(of))]
  const patients = distinct(({ patient }) => patient)
  const asked = {
    professionals: distinct(({ practitioner }) => practitioner),
    facilities: distinct(({ facility }) => facility),
    month,
  }
  const gathered: Row[][] = []
  let isCut = false
  for (let at = 0; at < Math.max(patients.length, 1); at += limits.reviewPatientsPerList) {
    const list = patients.slice(at, at + limits.reviewPatientsPerList)
    const answers = await read(factStatements({ ...asked, patients: list }))
    for (const [i, rows] of answers.entries()) {
      isCut ||= rows.length >= limits.maxReviewFacts
      // What does not depend on the patients is the same in every list.
      if (at > 0 && !ofPatients.has(i)) continue
      const all = gathered[i] ?? []
      gathered[i] = all
      for (const row of rows) all.push(row)
    }
  }
  return factsOf(gathered, isCut)
}

/** Places in `factStatements` of those that ask by patient. */
const ofPatients: ReadonlySet<number> = new Set([0, 2, 5, 6, 7])

function factsOf(rows: readonly (readonly Row[])[], isCut: boolean): Facts {
  const [patients, own, colleagues, facilities, staff, relationships, emergencies, watched, decisions] =
    Array.from({ length: 9 }, (_, i) => rows[i] ?? []) as unknown as readonly [
      Rows,
      Rows,
      Rows,
      Rows,
      Rows,
      Rows,
      Rows,
      Rows,
      Rows,
    ]
  return {
    patients: knownPatients(patients, 'patient'),
    own: knownPatients(own, 'professional'),
    colleagues: Map.groupBy(
      colleagues.map((row) => ({
        patient: String(row.patient),
        professional: String(row.professional),
        facility: String(row.facility),
      })),
      ({ patient }) => patient,
    ),
    namesakes: new Map(
      staff.map(({ facility, id, name }) => [`${facility}|${fullName(String(name))}`, String(id)]),
    ),
    facilityTypes: new Map(facilities.map(({ id, type }) => [String(id), String(type)])),
    relationships: Map.groupBy(relationships.map(heldRelationship), ({ patient }) => patient),
    emergencies: emergencies.map(emergency),
    watched: Map.groupBy(
      watched.map((row) => ({
        patient: String(row.patient),
        reason: String(row.reason),
        starts: Number(row.starts),
        ends: Number(row.ends),
      })),
      ({ patient }) => patient,
    ),
    decisions: decisions.map(pastDecision),
    isCut,
  }
}

/** What several `Patient`s say of one person, together. */
function knownPatients(rows: Rows, key: 'patient' | 'professional'): ReadonlyMap<string, KnownPatient> {
  const known = new Map<string, KnownPatient>()
  for (const row of rows) {
    const before = known.get(String(row[key]))
    const { families, fullNames, addresses } = particularsOf(row.names, row.addresses)
    known.set(String(row[key]), {
      person: before?.person ?? String(row.person),
      sourceRecord: before?.sourceRecord ?? String(row.source_record),
      families: [...(before?.families ?? []), ...families],
      fullNames: [...(before?.fullNames ?? []), ...fullNames],
      addresses: [...(before?.addresses ?? []), ...addresses],
    })
  }
  return known
}

const heldRelationship = (row: Row): HeldRelationship => ({
  patient: String(row.patient),
  kind: String(row.kind),
  facility: String(row.facility),
  professional: String(row.professional),
  starts: Number(row.starts),
  ends: Number(row.ends),
  validFrom: Number(row.valid_from),
  validTo: row.valid_to === null ? Number.POSITIVE_INFINITY : Number(row.valid_to),
  published: row.published === null ? null : Date.parse(String(row.published)),
  began: typeof row.began === 'string' ? Date.parse(row.began) : null,
  documents: Number(row.documents),
})

const emergency = (row: Row): Emergency => ({
  patient: String(row.patient),
  professional: String(row.professional),
  facility: String(row.facility),
  starts: Number(row.starts),
  ends: Number(row.ends),
  decision: row.decision === null ? null : String(row.decision),
  encounters: (JSON.parse(String(row.encounters)) as readonly unknown[]).map(Number),
})

const pastDecision = (row: Row): PastDecision => ({
  finding: String(row.finding),
  month: String(row.month),
  rule: String(row.rule),
  professional: String(row.professional),
  person: String(row.person),
  decision: String(row.decision),
  note: String(row.note),
  mutedUntil: String(row.muted_until),
  by: String(row.decided_by),
  at: String(row.decided_at),
})
