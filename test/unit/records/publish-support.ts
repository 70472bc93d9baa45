/** Both document databases in memory, and one facility's way to publish into them. */
import type { Caller, Facility } from '../../../src/access/caller.ts'
import { parseScopes } from '../../../src/access/scope.ts'
import type { Settings } from '../../../src/access/subject.ts'
import type {
  AnyOperation,
  Asker,
  Disclosure,
  Loaded,
  OperationContext,
  Page,
} from '../../../src/disclosure/operation.ts'
import type { Refusal } from '../../../src/disclosure/refusal.ts'
import { definitionsOfR4 } from '../../../src/local/definitions/of-r4.ts'
import { publishBundle } from '../../../src/records/publish.ts'
import { ok, type Result } from '../../../src/result.ts'
import type { Row, Rows } from '../../../src/store/ports.ts'
import { completedEntries } from '../../valid-resource.ts'
import { type MemoryDatabase, openDatabase } from '../store/memory-database.ts'

export const personSystem = 'https://example.org/nam'
export const idKey = new Uint8Array(32).fill(7)

export interface Publisher {
  readonly records: MemoryDatabase
  readonly local: MemoryDatabase
  /** Phases told to the audit log, in order. */
  readonly intents: Readonly<Record<string, string>>[]
  /** Resources of an object are completed with what R4 requires; a text is sent as it is. */
  publish(bundle: unknown, options?: PublishOptions): Promise<Result<Disclosure, Refusal>>
  /** One of the operations on single resources. */
  send(operation: AnyOperation, path: string, options?: SendOptions): Promise<Result<Disclosure, Refusal>>
}

export interface SendOptions extends PublishOptions {
  readonly body?: unknown
  readonly ifMatch?: string
  readonly ifNoneExist?: string
  readonly prefer?: string
}

export interface PublishOptions {
  readonly facility?: string
  readonly identitySystems?: readonly string[]
  readonly requestId?: string
  readonly now?: number
  readonly language?: 'fr' | 'en'
  readonly withoutLocal?: boolean
  readonly scopes?: readonly string[]
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
  const send: Publisher['send'] = (operation, path, options = {}) => {
    requests++
    const body = typeof options.body === 'string' ? options.body : JSON.stringify(options.body)
    const requestId = options.requestId ?? `request-${requests}`
    const now = options.now ?? Date.UTC(2026, 10, 22) + requests * 1000
    return operation.handle(context({ records, local, intents, body, requestId, now, path, options }))
  }
  return {
    records,
    local,
    intents,
    publish: (bundle, options = {}) =>
      send(publishBundle, '/fhir', {
        ...options,
        body: typeof bundle === 'string' ? bundle : JSON.stringify(completedEntries(bundle)),
      }),
    send,
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
  readonly path: string
  readonly options: SendOptions
}

const origin = 'http://127.0.0.1:8787'

function context(parts: ContextParts): OperationContext<Record<string, string>, Record<string, never>> {
  const { records, local, intents, body, requestId, now, path, options } = parts
  const url = new URL(path, origin)
  const [, , type = '', id = ''] = url.pathname.split('/')
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
    param: { type, id },
    url,
    origin,
    ifMatch: options.ifMatch ?? null,
    ifNoneExist: options.ifNoneExist ?? null,
    prefer: options.prefer ?? null,
    keys: { idKey },
    scopes: options.scopes ? parseScopes(options.scopes) : null,
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
    definitions: async () => definitionsOfR4(),
    body: async () => ok(body),
    intend: async (note: Readonly<Record<string, string>>) => {
      intents.push(note)
      return ok({ records, local: options.withoutLocal ? null : local })
    },
  } as unknown as OperationContext<Record<string, string>, Record<string, never>>
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
