/** Both document databases in memory, behind the real ports, and one facility's way to publish into them. */
import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Caller, Facility } from '../../../src/access/caller.ts'
import type { Settings } from '../../../src/access/subject.ts'
import type { Asker, Disclosure, Loaded, OperationContext, Page } from '../../../src/disclosure/operation.ts'
import type { Refusal } from '../../../src/disclosure/refusal.ts'
import { publishBundle } from '../../../src/records/publish.ts'
import { ok, type Result } from '../../../src/result.ts'
import {
  type Row,
  type Rows,
  type SqlValue,
  type Statement,
  StoreError,
  type Writer,
} from '../../../src/store/ports.ts'

export const personSystem = 'https://example.org/nam'
export const idKey = new Uint8Array(32).fill(7)

export interface MemoryDatabase extends Writer {
  readonly db: DatabaseSync
  rows(sql: string, ...args: SqlValue[]): Rows
  /** Makes the next write fail: before it commits, or with its answer lost after. */
  failNext: 'before-commit' | 'after-commit' | null
  /** SQL of every statement run, for their plans. */
  readonly seen: Set<string>
}

/** Every statement of a database's migrations, in order. */
export function migrationsOf(name: 'records' | 'local' | 'audit'): readonly string[] {
  const folder = `${import.meta.dirname}/../../../drizzle/${name}`
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'))
  return files
    .sort()
    .flatMap((file) => readFileSync(`${folder}/${file}`, 'utf8').split('--> statement-breakpoint'))
}

/** The port over one connection: a batch is a transaction, a key commits with it. */
export function openDatabase(name: 'records' | 'local'): MemoryDatabase {
  const db = new DatabaseSync(':memory:')
  for (const statement of migrationsOf(name)) db.exec(statement)
  const seen = new Set<string>()
  const run = ({ sql: text, args = [] }: Statement): Rows => {
    seen.add(text)
    const statement = db.prepare(text)
    const bound = args as readonly SqlValue[] | Record<string, SqlValue>
    return (Array.isArray(bound)
      ? statement.all(...bound)
      : statement.all(bound as Record<string, SqlValue>)) as unknown as Rows
  }
  const transaction = (statements: readonly Statement[]): readonly Rows[] => {
    db.exec('begin immediate')
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
  const taken = (key: string) => run({ sql: 'select aborted from write_key where key = ?', args: [key] })[0]
  const self: MemoryDatabase = {
    db,
    seen,
    failNext: null,
    rows: (text, ...args) => db.prepare(text).all(...args) as unknown as Rows,
    read: async (statements) => transaction(statements),
    apply: async (statements) => transaction(statements),
    abort: async (key) => {
      run({
        sql: 'insert or ignore into write_key (key, clock, at, aborted) select ?, n, 0, 1 from clock',
        args: [key],
      })
      return taken(key)?.aborted === 1
    },
    write: async (key, statements) => {
      const fault = self.failNext
      self.failNext = null
      if (fault === 'before-commit') throw new StoreError('unavailable', 'injected')
      const before = taken(key)
      if (before?.aborted === 1) throw new StoreError('aborted', 'settled')
      if (before) return { replayed: true, rows: [] }
      const rows = transaction([
        { sql: 'update clock set n = n + 1 where id = 1' },
        { sql: 'insert into write_key (key, clock, at) select ?, n, 0 from clock', args: [key] },
        ...statements,
      ])
      if (fault === 'after-commit') throw new StoreError('unavailable', 'injected')
      return { replayed: false, rows: rows.slice(2) }
    },
  }
  return self
}

export interface Publisher {
  readonly records: MemoryDatabase
  readonly local: MemoryDatabase
  /** Phases told to the audit log, in order. */
  readonly intents: Readonly<Record<string, string>>[]
  publish(bundle: unknown, options?: PublishOptions): Promise<Result<Disclosure, Refusal>>
}

export interface PublishOptions {
  readonly facility?: string
  readonly identitySystems?: readonly string[]
  readonly requestId?: string
  readonly now?: number
  readonly language?: 'fr' | 'en'
  readonly withoutLocal?: boolean
}

/** @param unshared domains that the sharing policy withholds */
export function openPublisher(unshared: readonly string[] = ['other']): Publisher {
  const records = openDatabase('records')
  const local = openDatabase('local')
  const any = { domain: '*', type: '*', category: '*', code: '*', confidentiality: '*' }
  const rules = [...unshared.map((domain) => ({ ...any, domain, shared: 0 })), { ...any, shared: 1 }]
  rules.forEach((rule, position) => {
    records.db
      .prepare(
        `insert into sharing_rule (position, domain, type, category, code, confidentiality, shared, valid_from)
         values (?, ?, ?, ?, ?, ?, ?, 0)`,
      )
      .run(position, rule.domain, rule.type, rule.category, rule.code, rule.confidentiality, rule.shared)
  })
  records.db
    .prepare('insert into person_identifier_system (system, valid_from) values (?, 0)')
    .run(personSystem)
  const intents: Readonly<Record<string, string>>[] = []
  let requests = 0
  return {
    records,
    local,
    intents,
    publish: (bundle, options = {}) => {
      requests++
      const body = typeof bundle === 'string' ? bundle : JSON.stringify(bundle)
      const requestId = options.requestId ?? `request-${requests}`
      const now = options.now ?? Date.UTC(2026, 10, 22) + requests * 1000
      return publishBundle.handle(context({ records, local, intents, body, requestId, now, options }))
    },
  }
}

const settings: Settings = {
  encounterDaysAfter: 30,
  encounterOpenDays: 90,
  attestationHours: 168,
  breakGlassHours: 12,
  lifted: new Set(),
}

interface ContextParts {
  readonly records: MemoryDatabase
  readonly local: MemoryDatabase
  readonly intents: Readonly<Record<string, string>>[]
  readonly body: string
  readonly requestId: string
  readonly now: number
  readonly options: PublishOptions
}

function context(parts: ContextParts): OperationContext<Record<string, never>, Record<string, never>> {
  const { records, local, intents, body, requestId, now, options } = parts
  const facility: Facility = {
    row: 1,
    id: options.facility ?? 'hopital',
    uri: 'https://example.org/hopital',
    name: 'Hôpital',
    organisation: 'ciusss',
    type: 'hospital',
    region: 'montreal',
    log: 'montreal',
    identitySystems: options.identitySystems ?? [],
  }
  const caller: Caller = { kind: 'facility-system', client: 'emr', name: 'EMR', facility }
  return {
    requestId,
    now,
    language: options.language ?? 'fr',
    origin: 'http://127.0.0.1:8787',
    keys: { idKey },
    scopes: null,
    load: async (page: (asker: Asker) => Page) => {
      const rows = await records.read(page({ presented: {}, facility: facility.id } as Asker).records ?? [])
      const hasLocal = !options.withoutLocal
      const loaded: Loaded = {
        caller,
        subjects: [],
        document: null,
        settings,
        records: rows,
        local: [],
        hasLocal,
        isLocalMissing: false,
      }
      return ok(loaded)
    },
    body: async () => ok(body),
    intend: async (note: Readonly<Record<string, string>>) => {
      intents.push(note)
      return ok({ records, local: options.withoutLocal ? null : local })
    },
  } as unknown as OperationContext<Record<string, never>, Record<string, never>>
}

export interface ResponseEntry {
  readonly status: string
  readonly location?: string
  readonly etag?: string
  readonly lastModified?: string
  readonly outcome?: {
    readonly issue: readonly {
      readonly code: string
      readonly details: { readonly text: string }
      readonly expression?: readonly string[]
    }[]
  }
}

/** The response entries; throws the refusal when there is one. */
export function responses(result: Result<Disclosure, Refusal>): readonly ResponseEntry[] {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  const bundle = JSON.parse(result.value.body as string) as {
    entry: readonly { readonly response: ResponseEntry }[]
  }
  return bundle.entry.map(({ response }) => response)
}

export function refusal(result: Result<Disclosure, Refusal>): Refusal {
  if (result.ok) throw new Error(`not refused: ${result.value.body}`)
  return result.error
}

/** Current rows of both databases. */
export const currentRows = ({ records, local }: Publisher): Rows =>
  [records, local].flatMap((database) => database.rows('select * from document')) as readonly Row[]
