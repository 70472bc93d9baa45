/** What *records* knows about those whom a batch of accesses names: who they are, who cares for whom, what was decided. */
import { limits } from '../../limits.ts'
import type { Row, Rows, Statement } from '../../store/ports.ts'
import type { AccessEntry } from './entries.ts'
import { factStatements } from './facts-sql.ts'
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
