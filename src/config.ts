/** What a shell tells the app: where its databases and logs are, and its secrets. Nothing here is read from a request. */
import { limits } from './limits.ts'
import { isOfLine } from './log-line.ts'
import { isSecureUrl } from './secure-url.ts'

export interface Database {
  readonly url: string
  readonly readToken: string
  readonly writeToken: string
}

/** A region served here: its audit log's name and the database of its facilities' unshared documents. */
export interface Region {
  readonly name: string
  readonly log: string
  readonly local: Database
}

export interface Config {
  /** The region whose log takes accesses of callers without a facility; its name is the first of `regions`. */
  readonly regions: readonly [Region, ...Region[]]
  /** Scheme and host at which callers reach this record, where a proxy hides them; null: as each request says. */
  readonly publicUrl: string | null
  readonly records: {
    readonly replica: { readonly url: string; readonly token: string }
    readonly primary: { readonly url: string; readonly token: string }
  }
  readonly audit: Database
  /** 32 bytes. Derives server ids; changing it orphans every id ever given. */
  readonly idKey: Uint8Array
  /** 32 bytes. Encrypts cursors; changing it ends the paging under way. */
  readonly cursorKey: Uint8Array
  /** The header in which the operator's own proxy states the caller's address; null: the peer's address. */
  readonly clientAddressHeader: string | null
  /** Issuer of the tokens that SMART clients are to get; null: they are told of none. */
  readonly authorizationServer: string | null
  /** Bearer token of `/metrics`. */
  readonly metricsToken: string
  /** How often one caller may ask, counted by each isolate for itself. */
  readonly rates: Rates
  /** tlog-policy: which witnesses must have cosigned a checkpoint that goes into an export or a proof; null: none. */
  readonly logPolicy: string | null
}

/** What a log itself is told, and nobody else: its secrets. */
export interface LogConfig {
  /** 32 bytes each; the keys of all logs come from one. The current one first, then those that logs not succeeded yet, or retired, sign with. */
  readonly seeds: readonly Uint8Array[]
  /** Public address of the record without scheme: `<origin>/audit/logs/<log>` is the origin of a log, for good. */
  readonly origin: string
  readonly policy: string | null
  /** Logs that begin by themselves; any other is the successor of one, and is begun by its end. */
  readonly logs: readonly string[]
  readonly maxSingleFailures: number
}

/** `burst` requests at once, and `perSecond` in the long run. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

export interface Rates {
  readonly address: Rate
  readonly client: Rate
  readonly professional: Rate
  /** Of one professional, where an answer tells that a person exists; of one client `limits.identityClientFactor` times that. */
  readonly identity: Rate
}

/** The environment variables (Worker bindings of type text) a configuration is made of. */
export interface Environment {
  readonly RECORDS_REPLICA_URL: string
  readonly RECORDS_REPLICA_TOKEN: string
  readonly RECORDS_PRIMARY_URL: string
  readonly RECORDS_PRIMARY_TOKEN: string
  /** JSON: `[{ "name", "log", "url", "readToken", "writeToken" }]`, the serving region first. */
  readonly REGIONS: string
  readonly AUDIT_URL: string
  readonly AUDIT_READ_TOKEN: string
  readonly AUDIT_WRITE_TOKEN: string
  /** 32 bytes, base64url. */
  readonly ID_KEY: string
  /** 32 bytes, base64url. */
  readonly CURSOR_KEY: string
  /** Empty: scheme and host as each request says. */
  readonly PUBLIC_URL: string
  /** Empty: the peer's address. */
  readonly CLIENT_ADDRESS_HEADER: string
  /**
   * Issuer whose `.well-known/openid-configuration` says where SMART clients get tokens. Empty: they are told of none. It gives
   * no trust: whose tokens count, the registry says.
   */
  readonly AUTHORIZATION_SERVER: string
  readonly METRICS_TOKEN: string
  /**
   * Failed authentications of one address and minute that get an entry of their own; the rest is counted by reason. Empty:
   * `limits.maxSingleFailuresPerMinute`. Where many callers share one address the operator may want more.
   */
  readonly MAX_SINGLE_FAILURES: string
  /** 32 bytes in base64url, or several with commas between: `LogConfig.seeds`. */
  readonly LOG_SEEDS: string
  /** E.g. `record.example.ca`. Changing it starts no log anew: succeed them. */
  readonly LOG_ORIGIN: string
  /** Text of a tlog-policy (https://c2sp.org/tlog-policy) whose witnesses have an address. Empty: no witness. */
  readonly LOG_POLICY: string
  /** JSON: any of `{ "address", "client", "professional", "identity" }`, each `{ "perSecond", "burst" }`. Empty: the defaults. */
  readonly RATE_LIMITS: string
}

/** @throws Error naming the variable that is missing or malformed. */
export function readConfig(env: Environment): Config {
  const text = (name: keyof Environment): string => {
    const value = env[name]
    if (typeof value !== 'string' || value === '') throw new Error(`${name} is not set`)
    return value
  }
  const key = (name: keyof Environment): Uint8Array => secretOf(name, text(name))
  // Told here too: a log that found it wrong would refuse every entry.
  readLogConfig(env)
  return {
    regions: readRegions(text('REGIONS')),
    publicUrl: env.PUBLIC_URL || null,
    records: {
      replica: { url: text('RECORDS_REPLICA_URL'), token: text('RECORDS_REPLICA_TOKEN') },
      primary: { url: text('RECORDS_PRIMARY_URL'), token: text('RECORDS_PRIMARY_TOKEN') },
    },
    audit: {
      url: text('AUDIT_URL'),
      readToken: text('AUDIT_READ_TOKEN'),
      writeToken: text('AUDIT_WRITE_TOKEN'),
    },
    idKey: key('ID_KEY'),
    cursorKey: key('CURSOR_KEY'),
    clientAddressHeader: env.CLIENT_ADDRESS_HEADER || null,
    authorizationServer: readAuthorizationServer(env),
    metricsToken: text('METRICS_TOKEN'),
    rates: readRates(env.RATE_LIMITS || '{}'),
    logPolicy: policyOf(env),
  }
}

/** @throws Error naming the variable that is missing or malformed. */
export function readLogConfig(env: Environment): LogConfig {
  const origin = env.LOG_ORIGIN
  if (!/^[a-z0-9][a-z0-9.:/-]*[a-z0-9]$/.test(origin ?? ''))
    throw new Error('LOG_ORIGIN must be an address without scheme, in lower case, without a slash at the end')
  return {
    seeds: (env.LOG_SEEDS ?? '').split(',').map((seed) => secretOf('LOG_SEEDS', seed)),
    origin,
    policy: policyOf(env),
    logs: readRegions(env.REGIONS).map(({ log }) => log),
    maxSingleFailures: readMaxSingleFailures(env),
  }
}

function readAuthorizationServer({ AUTHORIZATION_SERVER: issuer }: Environment): string | null {
  if (!issuer) return null
  if (!isSecureUrl(issuer))
    throw new Error('AUTHORIZATION_SERVER must be an https address (http on this machine only)')
  return issuer
}

/** Whoever sets a variable leaves out the line end that the format asks for. */
const policyOf = ({ LOG_POLICY }: Environment): string | null =>
  LOG_POLICY ? `${LOG_POLICY.trimEnd()}\n` : null

function secretOf(name: string, text: string): Uint8Array {
  const bytes = /^[\w-]{43}$/.test(text)
    ? Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
    : new Uint8Array(0)
  if (bytes.length !== 32) throw new Error(`${name} must be 32 bytes in base64url`)
  return bytes
}

/** Of `MAX_SINGLE_FAILURES`. @throws Error when that is no whole number. */
export function readMaxSingleFailures({ MAX_SINGLE_FAILURES }: Partial<Environment>): number {
  if (!MAX_SINGLE_FAILURES) return limits.maxSingleFailuresPerMinute
  if (!/^\d{1,9}$/.test(MAX_SINGLE_FAILURES)) throw new Error('MAX_SINGLE_FAILURES must be a whole number')
  return Number(MAX_SINGLE_FAILURES)
}

function readRegions(json: string): readonly [Region, ...Region[]] {
  const rows = JSON.parse(json) as Record<'name' | 'log' | 'url' | 'readToken' | 'writeToken', string>[]
  const [first, ...rest] = rows.map(({ name, log, url, readToken, writeToken }) => {
    if (!name || !log || !url || !readToken || !writeToken) throw new Error('REGIONS: a region is incomplete')
    return { name, log, local: { url, readToken, writeToken } }
  })
  if (!first) throw new Error('REGIONS names no region')
  checkLogNames([first, ...rest].map(({ log }) => log))
  return [first, ...rest]
}

/** The last successor, `<log>-999999`, still has the name of a log. */
const logNamePattern = /^[a-z0-9][a-z0-9-]{0,55}$/

/** A log that has the name of another one's successor would have to be two logs. */
function checkLogNames(logs: readonly string[]): void {
  const malformed = logs.find((log) => !logNamePattern.test(log))
  if (malformed !== undefined) throw new Error(`REGIONS: a log cannot be called ${JSON.stringify(malformed)}`)
  for (const log of logs)
    for (const other of logs)
      if (other !== log && isOfLine(log, other))
        throw new Error(`REGIONS: ${other} is the name of a successor of ${log}`)
}

const defaultRates: Rates = {
  address: limits.addressRate,
  client: limits.clientRate,
  professional: limits.professionalRate,
  identity: limits.identityRate,
}

function readRates(json: string): Rates {
  const named = readObject(json)
  if (!named) throw new Error('RATE_LIMITS must be a JSON object')
  // A misspelt name would leave the default in force, silently.
  const unknown = Object.keys(named).find((name) => !Object.hasOwn(defaultRates, name))
  if (unknown !== undefined)
    throw new Error(`RATE_LIMITS: there is no limit called ${JSON.stringify(unknown)}`)
  const rate = (name: keyof Rates): Rate => {
    const value = named[name]
    if (value === undefined) return defaultRates[name]
    if (!isRate(value))
      throw new Error(
        `RATE_LIMITS: ${name} must be { "perSecond": ${limits.minRatePerSecond} to ${limits.maxRatePerSecond}, "burst": 1 to ${limits.maxRateBurst}, whole }`,
      )
    return value
  }
  return {
    address: rate('address'),
    client: rate('client'),
    professional: rate('professional'),
    identity: rate('identity'),
  }
}

function readObject(json: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(json)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Readonly<Record<string, unknown>>) : null
  } catch {
    return null
  }
}

function isRate(value: unknown): value is Rate {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false
  const { perSecond, burst } = value as Readonly<Record<string, unknown>>
  return (
    typeof perSecond === 'number' &&
    perSecond >= limits.minRatePerSecond &&
    perSecond <= limits.maxRatePerSecond &&
    typeof burst === 'number' &&
    Number.isInteger(burst) &&
    burst >= 1 &&
    burst <= limits.maxRateBurst
  )
}
