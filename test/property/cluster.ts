/** The real app in this process, over a world's databases on SQLite and real audit logs; its ports are counted. */
import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Authenticated, Authenticator } from '../../src/access/authenticate.ts'
import { readStanding, standingStatements } from '../../src/access/standing.ts'
import { createApp } from '../../src/app.ts'
import { auditLogs } from '../../src/audit/client.ts'
import type { Access } from '../../src/audit/port.ts'
import type { Region } from '../../src/config.ts'
import type { Ports } from '../../src/disclosure/ports.ts'
import { elementsOf } from '../../src/fhir/elements.ts'
import { definitionsOfR4 } from '../../src/local/definitions/of-r4.ts'
import { err, ok } from '../../src/result.ts'
import type { Reader, Rows, SqlValue, Statement, Writer } from '../../src/store/ports.ts'
import { StoreError } from '../../src/store/ports.ts'
import { inMemoryLogs } from '../unit/audit/support.ts'
import { type Caller, issuer, presentedBy, uriOf } from './caller.ts'
import { type Document, facilities, identifierSystem, professionals, regions, type World } from './world.ts'

export const origin = 'https://record.example'

const migrations = (name: 'records' | 'local'): string =>
  readdirSync(`drizzle/${name}`)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => readFileSync(`drizzle/${name}/${file}`, 'utf8'))
    .join(';\n')
const schema = { records: migrations('records'), local: migrations('local') }

interface Database extends Writer {
  readonly db: DatabaseSync
  insert(table: string, row: Readonly<Record<string, SqlValue>>): void
}

export function openDatabase(name: 'records' | 'local'): Database {
  const db = new DatabaseSync(':memory:')
  db.exec(schema[name])
  // Compiling costs more than running: what is asked again is not compiled again.
  const compiled = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  const run = ({ sql, args = [] }: Statement): Rows => {
    if (compiled.size > 200) compiled.clear()
    const statement = compiled.get(sql) ?? db.prepare(sql)
    compiled.set(sql, statement)
    const rows = Array.isArray(args)
      ? statement.all(...(args as SqlValue[]))
      : statement.all(args as Record<string, SqlValue>)
    return rows as unknown as Rows
  }
  const transaction = (statements: readonly Statement[]): readonly Rows[] => {
    db.exec('begin')
    try {
      const rows = statements.map(run)
      db.exec('commit')
      return rows
    } catch (error) {
      db.exec('rollback')
      const message = (error as Error).message
      throw new StoreError(message.includes('constraint') ? 'constraint' : 'statement', message, error)
    }
  }
  const inserts = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  return {
    db,
    insert: (table, row) => {
      const columns = Object.keys(row)
      const sql = `insert or replace into ${table} (${columns.join(', ')})
        values (${columns.map((column) => `:${column}`).join(', ')})`
      const statement = inserts.get(sql) ?? db.prepare(sql)
      inserts.set(sql, statement)
      statement.run(row as Record<string, SqlValue>)
    },
    read: async (statements) => transaction(statements),
    apply: async (statements) => transaction(statements),
    abort: async () => false,
    write: async (key, statements) => {
      const rows = transaction([
        { sql: 'update clock set n = n + 1 where id = 1' },
        { sql: 'insert into write_key (key, clock, at) select ?, n, 0 from clock', args: [key] },
        ...statements,
      ])
      return { replayed: false, rows: rows.slice(2) }
    },
  }
}

/** What one request did. */
export interface Cost {
  /** `database: statements`, one per read. */
  readonly reads: string[]
  /** Entries of each append. */
  readonly appends: (readonly Access[])[]
}

export interface Cluster {
  readonly records: Database
  readonly locals: ReadonlyMap<string, Database>
  readonly isLocalAway: { value: boolean }
  send(
    caller: Caller,
    path: string,
    init?: RequestInit,
  ): Promise<{ readonly response: Response; readonly cost: Cost }>
  close(): void
}

const generous = { perSecond: 1_000, burst: 1_000_000 }
const secret = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)

/** @param types of facilities come from the table; what else there is, from the world */
export function startCluster(world: World): Cluster {
  const records = openDatabase('records')
  const locals = new Map(regions.map((region) => [region, openDatabase('local')]))
  fill(records, locals, world)

  let cost: Cost = { reads: [], appends: [] }
  const counting = (name: string, reader: Reader): Reader => ({
    read: async (statements) => {
      cost.reads.push(`${name}: ${statements.map(({ sql }) => sql).join(';')}`)
      return await reader.read(statements)
    },
  })
  const rpc = inMemoryLogs(({ entries }) =>
    cost.appends.push(entries.map(({ access }) => JSON.parse(access) as Access)),
  )
  const tokens = new Map<string, Authenticated>()
  const authenticator: Authenticator = {
    authenticate: async ({ authorization }) => {
      const known = tokens.get(authorization?.replace('Bearer ', '') ?? '')
      return known ? ok(known) : err({ reason: 'unauthenticated', cause: 'missing' })
    },
    forget: () => undefined,
    remember: () => undefined,
  }
  const region = (name: string): Region => ({
    name,
    log: name,
    local: { url: '', readToken: '', writeToken: '' },
  })
  const [first, ...rest] = regions
  const isLocalAway = { value: false }
  const ports: Ports = {
    config: {
      regions: [region(first), ...rest.map(region)],
      publicUrl: null,
      records: { replica: { url: '', token: '' }, primary: { url: '', token: '' } },
      audit: { url: '', readToken: '', writeToken: '' },
      idKey: secret(7),
      cursorKey: secret(9),
      logPolicy: null,
      clientAddressHeader: null,
      authorizationServer: null,
      metricsToken: 'metrics',
      rates: { address: generous, client: generous, professional: generous, identity: generous },
    },
    authenticator,
    replica: counting('records', records),
    primary: records,
    locals: new Map(
      [...locals].map(([name, database]) => {
        const reader = counting(`local ${name}`, database)
        return [
          name,
          {
            region: region(name),
            writer: database,
            reader: {
              read: async (statements: readonly Statement[]) => {
                const rows = await reader.read(statements)
                if (isLocalAway.value) throw new StoreError('unavailable', 'away')
                return rows
              },
            },
          },
        ]
      }),
    ),
    ledger: { read: async () => [] },
    redactions: { remove: async () => null, prune: async () => 'not-yet' },
    logs: auditLogs(() => rpc),
    definitions: async () => definitionsOfR4(),
    peerAddress: () => null,
  }
  const app = createApp(ports)
  return {
    records,
    locals,
    isLocalAway,
    send: async (caller, path, init) => {
      tokens.set('token', await authenticatedAs(caller, records))
      cost = { reads: [], appends: [] }
      const response = await app.request(`${origin}${path}`, {
        ...init,
        headers: { Authorization: 'Bearer token', 'Accept-Language': 'en', ...init?.headers },
      })
      return { response, cost }
    },
    close: () => {
      for (const { db } of [records, ...locals.values()]) db.close()
    },
  }
}

/** As a warm isolate remembers the caller; the signature is not the subject here. */
async function authenticatedAs(caller: Caller, records: Reader): Promise<Authenticated> {
  const presented = presentedBy(caller)
  const standing = readStanding(await records.read(standingStatements(presented)), presented, Date.now())
  return { presented, ...standing, once: [] }
}

function fill(records: Database, locals: ReadonlyMap<string, Database>, world: World): void {
  const now = Date.now()
  const held = { valid_from: 0 }
  records.db.exec(`begin; update heartbeat set at = ${now}`)
  records.insert('issuer', {
    row: 1,
    issuer,
    audience: 'a',
    algorithms: '[]',
    jwks: '{}',
    ...held,
  })
  for (const { row, id, type, region, organisation } of facilities) {
    records.insert('facility', {
      row,
      id,
      uri: uriOf(id),
      name: id,
      organisation,
      type,
      region,
      log: region,
      ...held,
    })
    records.insert('client', { issuer, client_id: `system-${id}`, name: id, facility: id, ...held })
  }
  records.insert('client', { issuer, client_id: 'app', name: 'app', facility: null, ...held })
  for (const subject of professionals) {
    const professional = `professional-${subject}`
    records.insert('professional', { id: professional, issuer, subject, name: subject, ...held })
    records.insert('professional_role', { professional, role: 'privacy-officer', facility: '', ...held })
  }
  for (const { professional, role, facility } of world.held)
    records.insert('professional_role', {
      professional: `professional-${professional}`,
      role,
      facility,
      ...held,
    })
  for (const { role, facilityType, purpose, domain } of world.matrix)
    records.insert('role_domain', { role, facility_type: facilityType, purpose, domain, ...held })
  for (const { role, facilityType, purpose, own, elsewhere } of world.clearances)
    records.insert('role_clearance', { role, facility_type: facilityType, purpose, own, elsewhere, ...held })
  for (const kind of ['relationship', 'restriction', 'refusal-before', 'refusal-total'])
    records.db
      .prepare('update policy_setting set value = ? where name = ?')
      .run(world.lifted.includes(kind) ? 1 : 0, `break-glass:${kind}`)
  for (const { id, facility, person, key } of world.sources) {
    records.insert('source_record', { id, facility, person, clock: 0 })
    records.insert('person_key', {
      system: identifierSystem,
      value: key.value,
      birth_date: key.birthDate,
      family: key.family,
      source_record: id,
    })
  }
  insertCare(records, world.relationships)
  insertRules(records, world.rules)
  world.emergencies.forEach(({ source, facility, professional, starts, ends }, i) => {
    records.insert('break_glass', {
      id: `emergency-${i}`,
      source_record: source,
      facility,
      professional: `professional-${professional}`,
      purpose: 'BTG',
      reason: 'unconscious',
      starts,
      ends,
      ...held,
    })
  })
  records.db.exec('commit')
  for (const region of regions) {
    const local = locals.get(region)
    if (!local) continue
    local.db.exec('begin')
    const here = world.documents.filter((document) => regionOf(document) === region)
    for (const document of here) insertVersions(local, document, false)
    const persons = new Set(here.filter(({ isShared }) => !isShared).map(({ person }) => person))
    for (const { id, facility, person } of world.sources)
      if (persons.has(person)) local.insert('source_record', { id, facility, person, clock: 0 })
    local.db.exec('commit')
  }
  records.db.exec('begin')
  for (const document of world.documents) insertVersions(records, document, true)
  records.db.exec('commit')
}

const ended = (isEnded: boolean) => ({ valid_from: 0, valid_to: isEnded ? 1 : null })

export function insertCare(records: Database, relationships: World['relationships']): void {
  relationships.forEach(({ kind, source, facility, professional, starts, ends, isEnded }, i) => {
    records.insert('relationship', {
      kind,
      source_record: source,
      facility,
      starts,
      ends,
      source: `source-${i}`,
      recorded_by: 'x',
      professional: professional === '' ? '' : `professional-${professional}`,
      ...ended(isEnded),
    })
  })
}

export function insertRules(records: Database, rules: World['rules']): void {
  rules.forEach((rule, i) => {
    records.insert('consent_rule', {
      consent: `consent-${i}`,
      source_record: rule.source,
      kind: rule.kind,
      before_date: rule.before,
      actor_kind: rule.actorKind,
      actor: rule.actor,
      what_kind: rule.whatKind,
      what: rule.what,
      ...ended(rule.isEnded),
    })
  })
}

const regionOf = ({ facility }: Document): string =>
  facilities.find(({ id }) => id === facility)?.region ?? ''

/** What a shared database, or a local one, has of a document. */
function insertVersions(database: Database, document: Document, isShared: boolean): void {
  if (document.isShared === isShared) {
    if (document.isDeleted) insertEarlier(database, deletionOf(document))
    else insertDocument(database, document)
  }
  for (const earlier of earlierOf(document))
    if (earlier.isShared === isShared) insertEarlier(database, earlier)
}

export const columnsOf = (document: Document) => ({
  type: document.type,
  id: document.id,
  source_record: document.source,
  facility: document.facility,
  domain: document.domain,
  category: document.categories[0] ?? '',
  code: document.codes[0] ?? '',
  date_lo: document.dateLo,
  date_hi: document.dateHi,
  status: document.status,
  confidentiality: document.confidentiality,
  clock: 1,
  published: document.published,
  version: document.version,
  hash: document.text,
})

const insertEarlier = (database: Database, document: Document): void =>
  database.insert('document_version', {
    ...columnsOf(document),
    body: document.isDeleted ? '' : bodyOf(document),
    deleted: document.isDeleted ? 1 : 0,
  })

/** Version 1, as a document. */
export const firstOf = (document: Document): Document | null =>
  document.first && {
    ...document,
    ...document.first,
    version: 1,
    firstPublished: document.first.published,
    first: null,
    isDeleted: false,
  }

/** Versions before the current one or the last, newest first, as documents. */
export const earlierOf = (document: Document): readonly Document[] => {
  const first = firstOf(document)
  return [...(document.isDeleted ? [{ ...document, isDeleted: false }] : []), ...(first ? [first] : [])]
}

/** The version in which it ended, as a document. */
export const deletionOf = (document: Document): Document => ({
  ...document,
  version: document.version + 1,
  published: '2024-04-01T00:00:00.000Z',
})

function insertDocument(database: Database, document: Document): void {
  const { type, id, person } = document
  database.insert('document', { ...columnsOf(document), person, body: bodyOf(document) })
  const further: readonly [string, readonly string[]][] = [
    ['category', document.categories.slice(1)],
    ['code', document.codes.slice(1)],
    ['identifier', document.key ? [`${identifierSystem}|${document.key.value}`] : []],
  ]
  for (const [param, values] of further)
    for (const value of values) database.insert('lookup', { type, param, value, id })
}

/** What the columns were taken from. */
export function bodyOf(document: Document): string {
  const { type, id, version, published, key, text } = document
  const { category, code, status, person } = elementsOf(type)
  const concept = (texts: readonly string[]) => ({
    coding: texts.map((value) => {
      const bar = value.indexOf('|')
      return { ...(bar > 0 ? { system: value.slice(0, bar) } : {}), code: value.slice(bar + 1) }
    }),
  })
  const [path] = person
  return JSON.stringify({
    resourceType: type,
    id,
    meta: { versionId: String(version), lastUpdated: published },
    ...(category ? { [category]: [concept(document.categories)] } : {}),
    ...(code ? { [code]: concept(document.codes) } : {}),
    ...(status ? { [status]: document.status } : {}),
    ...(path && document.source
      ? { [path.split('.')[0] as string]: { reference: `Patient/${document.source}` } }
      : {}),
    ...(key
      ? {
          identifier: [{ system: identifierSystem, value: key.value }],
          name: [{ family: key.family }],
          birthDate: key.birthDate,
        }
      : {}),
    text: { div: text },
  })
}
