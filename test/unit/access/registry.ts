/** The migrated *records* database in memory, read through the same port as a real one, and ways to fill it. */
import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { JWK } from 'jose'
import type { Presented } from '../../../src/access/caller.ts'
import type { Reader, Rows, SqlValue, Statement } from '../../../src/store/ports.ts'

export const issuer = 'https://identity.example'
export const audience = 'https://record.example/fhir'
export const uriOf = (facility: string): string => `https://record.example/facility/${facility}`

export interface Registry extends Reader {
  readonly db: DatabaseSync
  /** Read calls so far. */
  readonly reads: () => number
  run(statement: Statement): Rows
  insert(table: string, row: Columns): void
}

type Columns = Readonly<Record<string, SqlValue>>

/** The statements of every migration of *records*, in order. */
export function recordsSchema(): readonly string[] {
  const folder = `${import.meta.dirname}/../../../drizzle/records`
  const migrations = readdirSync(folder).filter((name) => name.endsWith('.sql'))
  return migrations
    .sort()
    .flatMap((name) => readFileSync(`${folder}/${name}`, 'utf8').split('--> statement-breakpoint'))
}

export function openRegistry(): Registry {
  const db = new DatabaseSync(':memory:')
  for (const statement of recordsSchema()) db.exec(statement)
  let reads = 0
  const prepared = new Map<string, StatementSync>()
  const prepare = (text: string): StatementSync => {
    const known = prepared.get(text) ?? db.prepare(text)
    prepared.set(text, known)
    return known
  }
  const run = ({ sql: text, args = {} }: Statement): Rows =>
    prepare(text).all(args as Record<string, SqlValue>) as unknown as Rows
  return {
    db,
    reads: () => reads,
    run,
    read: async (statements) => {
      reads++
      return statements.map(run)
    },
    insert: (table, row) => {
      const columns = Object.keys(row)
      const sql = `insert into ${table} (${columns.join(', ')}) values (${columns.map((name) => `:${name}`).join(', ')})`
      prepare(sql).run(row as Record<string, SqlValue>)
    },
  }
}

/** `more`: further columns of the row. */
export function addIssuer(
  registry: Registry,
  keys: readonly JWK[],
  algorithms: readonly string[] = ['ES256'],
  more: Columns = {},
): void {
  registry.insert('issuer', {
    issuer,
    audience,
    algorithms: JSON.stringify(algorithms),
    jwks: JSON.stringify({ keys }),
    valid_from: 1,
    ...more,
  })
}

/** As an operator does it: the current row ends, a new one begins. */
export function replaceIssuer(
  registry: Registry,
  keys: readonly JWK[],
  algorithms?: readonly string[],
): void {
  endCurrent(registry, 'issuer')
  addIssuer(registry, keys, algorithms)
}

export function endCurrent(registry: Registry, table: string, where = 'true'): void {
  registry.db.exec(`update ${table} set valid_to = 2 where valid_to is null and ${where}`)
}

export function addFacility(registry: Registry, id: string, type = 'hospital', region = 'montreal'): void {
  registry.insert('facility', {
    id,
    uri: uriOf(id),
    name: `Établissement ${id}`,
    organisation: `organisation of ${id}`,
    type,
    region,
    log: region,
    valid_from: 1,
  })
}

export function addClient(registry: Registry, clientId: string, facility: string | null = null): void {
  registry.insert('client', {
    issuer,
    client_id: clientId,
    name: `client ${clientId}`,
    facility,
    valid_from: 1,
  })
}

/** `roles`: role, facility and, of an officer of one organisation, organisation. */
export function addProfessional(
  registry: Registry,
  subject: string,
  roles: readonly (readonly [role: string, facility: string, organisation?: string])[],
): void {
  registry.insert('professional', {
    id: `professional-${subject}`,
    issuer,
    subject,
    name: `Dr ${subject}`,
    valid_from: 1,
  })
  for (const [role, facility, organisation = ''] of roles)
    registry.insert('professional_role', {
      professional: `professional-${subject}`,
      role,
      facility,
      organisation,
      valid_from: 1,
    })
}

export function open(
  registry: Registry,
  role: string,
  facilityType: string,
  purpose: string,
  domain: string,
): void {
  registry.insert('role_domain', { role, facility_type: facilityType, purpose, domain, valid_from: 1 })
}

export interface SampleDocument {
  readonly type: string
  readonly id: string
  readonly facility: string
  readonly domain: string
}

/** About person `p` by source record `s`, unless `more`, further columns of the row, says otherwise. */
export function addDocument(
  registry: Registry,
  { type, id, facility, domain }: SampleDocument,
  more: Columns = {},
): void {
  registry.insert('document', {
    person: 'p',
    type,
    date_lo: '2026-01-01T00:00:00.000Z',
    id,
    source_record: 's',
    facility,
    domain,
    category: '',
    code: '',
    date_hi: '2026-01-01T00:00:00.000Z',
    status: 'final',
    confidentiality: 'N',
    published: '2026-01-01T00:00:00.000Z',
    version: 1,
    clock: 1,
    hash: 'h',
    body: '{}',
    ...more,
  })
}

/** An earlier version, which nothing but its publication is asked of. */
export function addDocumentVersion(
  registry: Registry,
  { type, id, facility, domain }: SampleDocument,
  version: number,
  published: string,
): void {
  registry.insert('document_version', {
    type,
    id,
    version,
    source_record: 's',
    facility,
    domain,
    category: '',
    code: '',
    date_lo: '',
    date_hi: '',
    status: 'final',
    confidentiality: 'N',
    published,
    clock: 1,
    hash: `h${version}`,
    body: '{}',
  })
}

export const patientSystem = 'https://identity.example/person'

/** A facility's `Patient`; with `birthDate`, what it says of its person, whose identifier of `patientSystem` is `value`. */
export function addSourceRecord(
  registry: Registry,
  id: string,
  {
    person = 'p',
    birthDate = '',
    value = person,
    facility = 'hospital',
  }: { person?: string; birthDate?: string; value?: string; facility?: string },
): void {
  registry.insert('source_record', { id, facility, person, clock: 1 })
  if (birthDate !== '')
    registry.insert('person_key', {
      system: patientSystem,
      value,
      birth_date: birthDate,
      family: 'gagnon',
      source_record: id,
    })
}

/** Milliseconds since 1970 at which the sample's relationships and emergencies hold. */
export const moment = 1_900_000_000_000

let relationships = 0

/** Everybody at `hospital` cares for the person of source record `s`. */
export function relate(registry: Registry, changes: Columns = {}): void {
  registry.insert('relationship', {
    kind: 'encounter',
    source_record: 's',
    facility: 'hospital',
    professional: '',
    starts: moment - 1,
    ends: moment + 1,
    source: `Encounter/${++relationships}`,
    recorded_by: 'test',
    valid_from: 1,
    ...changes,
  })
}

/** A total refusal by the person of source record `s`. */
export function forbid(registry: Registry, changes: Columns = {}): void {
  registry.insert('consent_rule', {
    consent: 'c',
    source_record: 's',
    kind: 'refusal-total',
    valid_from: 1,
    ...changes,
  })
}

let emergencies = 0

/** An emergency that Dr Tremblay declared at `hospital` about the person of source record `s`. */
export function breakGlass(registry: Registry, changes: Columns = {}): void {
  registry.insert('break_glass', {
    id: `b${++emergencies}`,
    source_record: 's',
    facility: 'hospital',
    professional: 'professional-tremblay',
    purpose: 'BTG',
    reason: 'unconscious',
    starts: moment - 1,
    ends: moment + 1,
    valid_from: 1,
    ...changes,
  })
}

export function set(registry: Registry, name: string, value: number): void {
  endCurrent(registry, 'policy_setting', `name = '${name}'`)
  registry.insert('policy_setting', { name, value, valid_from: 2 })
}

/** A physician at `hospital`, presented by the app `console`; row 1 of the issuer verified the token. */
export const presented = (changes: Partial<Presented> = {}): Presented => ({
  issuer,
  issuerRow: 1,
  signedBy: 'A'.repeat(43),
  subject: 'tremblay',
  clientId: 'console',
  jti: 'token-1',
  expiresAt: 2_000_000_000,
  name: 'Dre Tremblay',
  role: 'physician',
  facilityUri: uriOf('hospital'),
  purpose: 'TREAT',
  scopes: [],
  keyThumbprint: null,
  patient: null,
  personId: null,
  birthDate: null,
  assurance: null,
  ...changes,
})
