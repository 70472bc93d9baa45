/** A record in memory with a registry, persons and callers, behind the real ports; and what the log says of accesses. */
import { DatabaseSync } from 'node:sqlite'
import type { Caller, Facility } from '../../../src/access/caller.ts'
import type { Settings, Subject } from '../../../src/access/subject.ts'
import type { Asker, Disclosure, Operation, Page } from '../../../src/disclosure/operation.ts'
import type { Refusal } from '../../../src/disclosure/refusal.ts'
import { err, ok, type Result } from '../../../src/result.ts'
import type { Reader } from '../../../src/store/ports.ts'
import { auditDatabase } from '../audit/audit-database.ts'
import { type MemoryDatabase, migrationsOf, openDatabase } from '../store/memory-database.ts'

const facility = (id: string, organisation: string): Facility => ({
  row: 1,
  id,
  uri: `https://example.org/${id}`,
  name: `Établissement ${id}`,
  organisation,
  type: 'hospital',
  region: 'montreal',
  log: 'montreal',
  identitySystems: [],
})

export const hospital = facility('hopital', 'ciusss')
export const clinic = facility('clinique', 'gmf')

export const provider = (over: Partial<Extract<Caller, { kind: 'provider' }>> = {}): Caller => ({
  kind: 'provider',
  professional: 'dr-roy',
  name: 'Dre Roy',
  role: 'physician',
  purpose: 'TREAT',
  facility: hospital,
  domains: new Set(['medication']),
  clearance: { own: 'N', elsewhere: 'N' },
  contextPerson: null,
  ...over,
})

export const callers = {
  patient: { kind: 'patient', person: 'person-a', name: 'Alice', assurance: 'high' },
  stranger: { kind: 'patient', person: 'person-b', name: 'Bob', assurance: 'high' },
  guardian: {
    kind: 'guardian',
    person: 'person-child',
    guardian: 'person-a',
    name: 'Alice',
    assurance: 'high',
  },
  officer: { kind: 'privacy-officer', professional: 'po', name: 'Responsable', organisation: null },
  ownOfficer: { kind: 'privacy-officer', professional: 'po-ciusss', name: 'Resp.', organisation: 'ciusss' },
  otherOfficer: { kind: 'privacy-officer', professional: 'po-gmf', name: 'Resp.', organisation: 'gmf' },
  operator: { kind: 'operator', professional: 'op', name: 'Exploitante' },
  manager: { kind: 'access-manager', professional: 'gestion', name: 'Gestionnaire', facility: hospital },
  system: { kind: 'facility-system', client: 'emr', name: 'EMR', facility: hospital },
  provider: provider(),
} satisfies Record<string, Caller>

/** Alice is known at two facilities, joined; Bob at the clinic; a child of Alice's at the hospital. */
export function seed({ db }: MemoryDatabase): void {
  db.exec(`
    insert into organisation (id, name, valid_from) values ('ciusss', 'CIUSSS', 0), ('gmf', 'GMF', 0);
    insert into facility (id, uri, name, organisation, type, region, log, valid_from) values
      ('hopital', 'https://example.org/hopital', 'Hôpital', 'ciusss', 'hospital', 'montreal', 'montreal', 0),
      ('clinique', 'https://example.org/clinique', 'Clinique', 'gmf', 'clinic', 'montreal', 'montreal', 0);
    insert into professional (id, issuer, subject, name, valid_from) values
      ('dr-roy', 'i', 'roy', 'Dre Roy', 0), ('inf-cote', 'i', 'cote', 'Inf. Côté', 0),
      ('gestion', 'i', 'gestion', 'Gestionnaire', 0), ('po', 'i', 'po', 'Responsable', 0);
    insert into professional_role (professional, role, facility, valid_from) values
      ('dr-roy', 'physician', 'hopital', 0), ('inf-cote', 'nurse', 'hopital', 0),
      ('gestion', 'access-manager', 'hopital', 0), ('gestion', 'nurse', 'hopital', 0),
      ('po', 'privacy-officer', '', 0);
    insert into role_domain (role, facility_type, purpose, domain, valid_from) values
      ('physician', '*', '*', 'medication', 0), ('nurse', '*', '*', 'medication', 0);
    insert into source_record (id, facility, person, clock) values
      ('a-hopital', 'hopital', 'person-a', 0), ('a-clinique', 'clinique', 'person-a', 0),
      ('b-clinique', 'clinique', 'person-b', 0), ('child-hopital', 'hopital', 'person-child', 0);
    insert into person_key (system, value, birth_date, family, source_record) values
      ('nam', 'A', '1980-05-05', 'ROY', 'a-hopital'), ('nam', 'A', '1980-05-05', 'ROY', 'a-clinique'),
      ('nam', 'B', '1990-01-01', 'COTE', 'b-clinique'),
      ('nam', 'C', '2012-11-22', 'ROY', 'child-hopital');`)
}

/** 22 November 2026, 12:00 in Québec. */
export const noon = Date.parse('2026-11-22T17:00:00.000Z')

export interface Asked {
  readonly body?: unknown
  readonly param?: Record<string, string>
  readonly query?: Record<string, unknown>
  readonly ifMatch?: string
  readonly language?: 'fr' | 'en'
  readonly now?: number
  /** Of operations that read the log. */
  readonly ledger?: Reader
}

export interface Desk {
  readonly records: MemoryDatabase
  /** Appends an access to the ledger of `montreal`. Returns `<log>/<index>`. */
  access(patient: string | null, who?: Readonly<Record<string, string | null>>): string
  /** Notes of the intents, in order. */
  readonly intents: Readonly<Record<string, string>>[]
  /** Overrides of the policy's numbers and switches. */
  settings: Settings
  ask<P, Q>(operation: Operation<P, Q>, caller: Caller, asked?: Asked): Promise<Result<Disclosure, Refusal>>
}

export function openDesk(records = openDatabase('records')): Desk {
  seed(records)
  let requests = 0
  const audit = new DatabaseSync(':memory:')
  for (const statement of migrationsOf('audit')) audit.exec(statement)
  let entries = 0
  const desk: Desk = {
    records,
    access: (patient, who = {}) => {
      const index = entries++
      const text = JSON.stringify({
        access: {
          requestId: `r${index}`,
          action: 'read',
          decision: { outcome: 'permit' },
          patient,
          who: { issuer: 'i', subject: 'roy', practitioner: 'dr-roy', organisation: 'ciusss', ...who },
        },
        index: String(index),
        log: 'montreal',
        time: new Date(noon + index).toISOString(),
      })
      audit.prepare('insert into ledger_leaf values (?, ?, ?)').run('montreal', index, new Uint8Array(33))
      audit
        .prepare('insert into ledger_body (log, idx, salt, entry) values (?, ?, ?, ?)')
        .run('montreal', index, new Uint8Array(32), text)
      return `montreal/${index}`
    },
    intents: [],
    settings: {
      encounterDaysAfter: 30,
      encounterOpenDays: 90,
      attestationHours: 168,
      breakGlassHours: 12,
      lifted: new Set(['relationship', 'restriction']),
    },
    ask: async (operation, caller, asked = {}) => {
      requests++
      const now = asked.now ?? noon + requests * 1_000
      const param = operation.param.parse(asked.param ?? {})
      const query = operation.query.safeParse(asked.query ?? {})
      if (!query.success)
        return err({
          reason: 'invalid',
          issues: query.error.issues.map(({ path }) => ({
            code: 'value',
            expression: path.join('.'),
            text: { fr: '', en: '' },
          })),
        })
      const url = new URL(`http://127.0.0.1:8787${operation.path}`)
      for (const [name, value] of Object.entries(asked.query ?? {})) url.searchParams.set(name, String(value))
      let hasRights = false
      const context = {
        param,
        query: query.data,
        requestId: `request-${requests}`,
        origin: 'http://127.0.0.1:8787',
        url,
        now,
        language: asked.language ?? 'fr',
        presented: { issuer: 'i', subject: 's', clientId: 'portal', ...rolesOf(caller) },
        keys: { idKey: new Uint8Array(32).fill(7), cursorKey: new Uint8Array(32).fill(9) },
        logs: ['montreal'],
        ifMatch: asked.ifMatch ?? null,
        ledger: asked.ledger ?? auditDatabase(audit),
        scopes: null,
        load: async (page: (asker: Asker) => Page) => {
          const permitted = permits(caller, operation)
          if (!permitted.ok) return permitted
          hasRights = true
          const { subject, records: statements = [] } = page({
            presented: {},
            facility: null,
            sight: null,
            now,
          } as Asker)
          return ok({
            caller,
            subjects: subject ? subjectsOf(records, subject, caller, now) : [],
            document: null,
            settings: desk.settings,
            records: await records.read(statements),
            local: [],
            hasLocal: false,
            isLocalMissing: false,
          })
        },
        bodies: operation.bodies ?? [],
        body: async () => {
          if (!hasRights) throw new Error('the body is read before the caller has rights')
          return ok(typeof asked.body === 'string' ? asked.body : JSON.stringify(asked.body))
        },
        intend: async (note: Readonly<Record<string, string>>) => {
          desk.intents.push(note)
          return ok({ records, local: null })
        },
      }
      return await operation.handle(context as unknown as Parameters<typeof operation.handle>[0])
    },
  }
  return desk
}

const permits = (caller: Caller, { callers: kinds }: Pick<Operation, 'callers'>): Result<void, Refusal> =>
  kinds.includes(caller.kind)
    ? ok(undefined)
    : err({ reason: 'forbidden', cause: 'operation-not-for-caller' })

const rolesOf = (caller: Caller) => ({
  role: caller.kind === 'provider' ? caller.role : null,
  facilityUri: 'facility' in caller ? caller.facility.uri : null,
})

/** What the facts of a request say of its subject. */
function subjectsOf(
  { rows }: MemoryDatabase,
  subject: NonNullable<Page['subject']>,
  caller: Caller,
  now: number,
): readonly Subject[] {
  if (typeof subject === 'function' || subject.by !== 'patient') return []
  const [found] = rows('select person from source_record where id = ?', subject.id)
  if (!found) return []
  const person = String(found.person)
  const at = 'facility' in caller ? caller.facility.id : ''
  const ofPerson = 'source_record in (select id from source_record where person = ?) and valid_to is null'
  const held = `${ofPerson} and facility = ? and starts <= ? and ends > ?`
  return [
    {
      person,
      sourceRecords: rows('select id from source_record where person = ?', person).map(({ id }) =>
        String(id),
      ),
      relationships: rows(
        `select row, kind, professional from relationship where ${held}`,
        person,
        at,
        now,
        now,
      ),
      rules: rows(
        `select row, consent, kind, before_date as "before", actor_kind as actorKind, actor, what_kind as whatKind, what
         from consent_rule where ${ofPerson}`,
        person,
      ),
      breakGlass: rows(
        `select row, id, professional, reason from break_glass where ${held}`,
        person,
        at,
        now,
        now,
      ),
    } as unknown as Subject,
  ]
}

/** The body of what was disclosed; throws the refusal when there is one. */
export function disclosed<T = Record<string, unknown>>(result: Result<Disclosure, Refusal>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return JSON.parse(result.value.body as string) as T
}

export const statusOf = (result: Result<Disclosure, Refusal>): number | string => {
  if (result.ok) return result.value.status
  return result.error.reason === 'forbidden' ? result.error.cause : result.error.reason
}

/** Expressions of the issues of a refusal. */
export function expressions(result: Result<Disclosure, Refusal>): readonly (string | undefined)[] {
  if (result.ok || !('issues' in result.error)) throw new Error(`no issues: ${JSON.stringify(result)}`)
  return (result.error.issues ?? []).map(({ expression }) => expression)
}
