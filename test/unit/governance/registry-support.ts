/** The registry in memory behind the real port, filled like a small record, and a caller's way to each operation. */
import type { DatabaseSync } from 'node:sqlite'
import type { Caller, CallerKind, Facility } from '../../../src/access/caller.ts'
import type { Asker, Disclosure, Operation, Page } from '../../../src/disclosure/operation.ts'
import type { Refusal } from '../../../src/disclosure/refusal.ts'
import { registryOperations } from '../../../src/governance/registry.ts'
import { err, ok, type Result } from '../../../src/result.ts'
import type { Rows } from '../../../src/store/ports.ts'
import { type MemoryDatabase, openDatabase } from '../store/memory-database.ts'

export const issuer = 'https://identity.example'
export const now = Date.UTC(2026, 10, 22, 9)

function openRegistry(): MemoryDatabase {
  const registry = openDatabase('records')
  fill(registry.db)
  return registry
}

export const facility = (id: string, organisation = 'ciusss'): Facility => ({
  row: 1,
  id,
  uri: `https://record.example/facility/${id}`,
  name: `Établissement ${id}`,
  organisation,
  type: 'hospital',
  region: 'montreal',
  log: 'montreal',
  identitySystems: [],
})

const people: readonly (readonly [string, string, string, string])[] = [
  ['odile', 'operator', '', ''],
  ['omar', 'operator', '', ''],
  ['marie', 'access-manager', 'hopital', ''],
  ['marc', 'access-manager', 'hopital', ''],
  ['maude', 'access-manager', 'clinique', ''],
  ['anne', 'physician', 'hopital', ''],
  ['paul', 'privacy-officer', '', ''],
]

function fill(db: DatabaseSync): void {
  db.exec(`
    insert into organisation (id, name, valid_from) values ('ciusss', 'CIUSSS', 0), ('gmf', 'GMF', 0);
    insert into issuer (issuer, audience, algorithms, jwks, valid_from)
      values ('${issuer}', 'https://record.example/fhir', '["ES256"]', '{"keys":[]}', 0);
    insert into role_domain (role, facility_type, purpose, domain, valid_from)
      values ('physician', '*', 'TREAT', 'laboratory', 0), ('nurse', '*', 'TREAT', 'laboratory', 0),
        ('*', '*', 'TREAT', 'allergy', 0);`)
  for (const { id, uri, name, organisation, type, region, log } of [
    facility('hopital'),
    facility('clinique', 'gmf'),
  ])
    db.prepare(
      `insert into facility (id, uri, name, organisation, type, region, log, valid_from) values (?, ?, ?, ?, ?, ?, ?, 0)`,
    ).run(id, uri, name, organisation, type, region, log)
  for (const [id, role, at, organisation] of people) {
    db.prepare(`insert into professional (id, issuer, subject, name, valid_from) values (?, ?, ?, ?, 0)`).run(
      id,
      issuer,
      `login-${id}`,
      `${id} Tremblay`,
    )
    db.prepare(
      `insert into professional_role (professional, role, facility, organisation, valid_from) values (?, ?, ?, ?, 0)`,
    ).run(id, role, at, organisation)
  }
}

const person = (id: string) => ({ professional: id, name: `${id} Tremblay` })

export const operator = (id: 'odile' | 'omar'): Caller => ({ kind: 'operator', ...person(id) })

export const manager = (id: 'marie' | 'marc' | 'maude'): Caller => ({
  kind: 'access-manager',
  ...person(id),
  facility: id === 'maude' ? facility('clinique', 'gmf') : facility('hopital'),
})

/** One of each kind. */
export const callers: Readonly<Record<CallerKind, Caller>> = {
  operator: operator('odile'),
  'access-manager': manager('marie'),
  'privacy-officer': { kind: 'privacy-officer', ...person('paul'), organisation: null },
  provider: {
    kind: 'provider',
    ...person('anne'),
    role: 'physician',
    purpose: 'TREAT',
    facility: facility('hopital'),
    domains: new Set(['laboratory']),
    clearance: { own: 'N', elsewhere: 'N' },
    contextPerson: null,
  },
  'facility-system': { kind: 'facility-system', client: 'emr', name: 'EMR', facility: facility('hopital') },
  patient: { kind: 'patient', person: 'p1', name: 'Patient', assurance: '2' },
  guardian: { kind: 'guardian', person: 'p1', guardian: 'p2', name: 'Guardian', assurance: '2' },
}

export interface Answered {
  readonly status: number
  readonly clock: string | undefined
  readonly body: Readonly<Record<string, unknown>>
  readonly note: Readonly<Record<string, string>> | undefined
  readonly reason: string
}

export interface Office {
  readonly registry: MemoryDatabase
  /** Notes told to the audit log before a write, in order. */
  readonly intents: Readonly<Record<string, string>>[]
  /** Milliseconds since 1970: when the next request comes. */
  now: number
  /** `path` with its query; `body` undefined: a GET. */
  ask(caller: Caller, path: string, body?: unknown): Promise<Result<Answered, Refusal>>
  /** @throws what it was refused for. */
  done(caller: Caller, path: string, body?: unknown): Promise<Answered>
  /** @throws when it was not refused. */
  refused(caller: Caller, path: string, body?: unknown): Promise<Refusal>
}

export function openOffice(): Office {
  const registry = openRegistry()
  const intents: Readonly<Record<string, string>>[] = []
  const ask: Office['ask'] = async (caller, path, body) => {
    const url = new URL(path, 'http://127.0.0.1')
    const { operation, param } = operationAt(body === undefined ? 'GET' : 'POST', url.pathname)
    const asker: Asker = {
      presented: {},
      facility: 'facility' in caller ? caller.facility.id : null,
      now,
    } as Asker
    const result = await operation.handle({
      param: operation.param.parse(param),
      query: operation.query.parse(Object.fromEntries(url.searchParams)),
      requestId: crypto.randomUUID(),
      now: self.now,
      presented: {
        issuer,
        subject: 'professional' in caller ? `login-${caller.professional}` : 'other',
      },
      logs: ['montreal', 'quebec', 'estrie'],
      load: async (page: (asker: Asker) => Page) => {
        const records = await registry.read(page(asker).records ?? [])
        // As the exchange does before it hands out anything.
        if (!operation.callers.includes(caller.kind))
          return err({ reason: 'forbidden', cause: 'operation-not-for-caller' })
        return ok({ caller, records, local: [], hasLocal: false, isLocalMissing: false })
      },
      bodies: operation.bodies ?? [],
      body: async () => ok(typeof body === 'string' ? body : JSON.stringify(body)),
      intend: async (note: Readonly<Record<string, string>>) => {
        intents.push(note)
        return ok({ records: registry, local: null })
      },
    } as never)
    return result.ok ? ok(answered(result.value)) : result
  }
  const self: Office = {
    registry,
    intents,
    now,
    ask,
    done: async (caller, path, body) => {
      const result = await ask(caller, path, body)
      if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`)
      return result.value
    },
    refused: async (caller, path, body) => {
      const result = await ask(caller, path, body)
      if (result.ok) throw new Error(`not refused: ${JSON.stringify(result.value.body)}`)
      return result.error
    },
  }
  return self
}

function operationAt(method: string, path: string) {
  for (const operation of registryOperations as readonly Operation<unknown, unknown>[]) {
    const pattern = new RegExp(`^${operation.path.replace(/:(\w+)/, '(?<$1>[^/]+)')}$`)
    const match = pattern.exec(path)
    // A fixed path comes before a parameter, as in the router.
    if (match && operation.method === method) return { operation, param: { ...match.groups } }
  }
  throw new Error(`nothing at ${method} ${path}`)
}

const answered = ({ status, headers, body, note, reason }: Disclosure): Answered => ({
  status,
  clock: headers?.['Dossier-Clock'],
  body: JSON.parse(body as string) as Record<string, unknown>,
  note,
  reason,
})

/** Every registry row, to see that nothing changed. */
export const everything = (registry: MemoryDatabase): Readonly<Record<string, Rows>> =>
  Object.fromEntries(
    [
      'organisation',
      'facility',
      'issuer',
      'professional',
      'professional_role',
      'client',
      'revoked_token',
      'revoked_key',
      'role_domain',
      'policy_setting',
      'role_request',
    ].map((table) => [table, registry.rows(`select * from ${table} order by 1, 2`)]),
  )

/** Rows of one table that hold now. */
export const current = (registry: MemoryDatabase, table: string): Rows =>
  registry.rows(`select * from ${table} where valid_to is null order by row`)
