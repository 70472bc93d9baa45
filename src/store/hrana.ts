/** The database ports over Hrana (sqld), through the official client. */
import { createClient, LibsqlError } from '@libsql/client/web'
import { limits } from '../limits.ts'
import { type Reader, type Rows, type Statement, StoreError, type Writer } from './ports.ts'

export interface HranaOptions {
  readonly url: string
  readonly token: string
}

type Mode = 'read' | 'write'

/**
 * One batch is one HTTP request and one transaction. The client queues nothing (`concurrency: 0`): a promise queued by
 * one request and awaited by another hangs a Worker. Every request gets its own deadline; the client has none.
 */
function connect({ url, token }: HranaOptions) {
  return async (
    mode: Mode,
    statements: readonly Statement[],
    deadlineMs: number,
  ): Promise<readonly Rows[]> => {
    // Not AbortSignal.timeout: its timer would live on after the answer, and keep a Durable Object from being evicted.
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs)
    const client = createClient({
      url,
      authToken: token,
      concurrency: 0,
      fetch: (request: Request) => {
        // sqld would compress its answers, which takes six times as long as sending them.
        request.headers.set('Accept-Encoding', 'identity')
        return fetch(request, { signal: deadline.signal })
      },
    })
    try {
      const results = await client.batch(
        statements.map(({ sql, args }) => (args === undefined ? sql : { sql, args: bindable(args) })),
        mode,
      )
      return results.map((result) => result.rows as unknown as Rows)
    } catch (error) {
      throw storeError(error)
    } finally {
      clearTimeout(timer)
      client.close()
    }
  }
}

/** The client wants mutable arguments; it does not change them. */
const bindable = (args: NonNullable<Statement['args']>) => args as (string | number | null | Uint8Array)[]

function storeError(error: unknown): StoreError {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof LibsqlError)) return new StoreError('unavailable', message, error)
  if (error.code.startsWith('SQLITE_CONSTRAINT')) return new StoreError('constraint', message, error)
  // A busy database, and every failure of the connection or the server, leave the batch unapplied or in doubt.
  if (
    error.code.startsWith('SQLITE') &&
    !error.code.startsWith('SQLITE_BUSY') &&
    !error.code.startsWith('SQLITE_IOERR')
  )
    return new StoreError('statement', message, error)
  // An answer past what sqld sends is the same at every server: asking the primary would not help.
  if (['SQL_PARSE_ERROR', 'SQL_INPUT_ERROR', 'RESPONSE_TOO_LARGE'].includes(error.code))
    return new StoreError('statement', message, error)
  return new StoreError('unavailable', `${error.code}: ${message}`, error)
}

export function hranaReader(options: HranaOptions): Reader {
  const batch = connect(options)
  return { read: (statements, deadlineMs = limits.readDeadlineMs) => batch('read', statements, deadlineMs) }
}

export function hranaWriter(options: HranaOptions): Writer {
  const batch = connect(options)
  return {
    read: (statements, deadlineMs = limits.primaryReadDeadlineMs) => batch('read', statements, deadlineMs),
    apply: (statements, deadlineMs = limits.writeDeadlineMs) => batch('write', statements, deadlineMs),
    abort: async (key) => {
      const [, rows] = await batch('write', [abortKey(key), abortedKey(key)], limits.writeDeadlineMs)
      return Number(rows?.[0]?.aborted) === 1
    },
    write: async (key, statements) => {
      const keyed = [...claimKey(key), ...statements]
      for (let attempt = 1; ; attempt++) {
        try {
          const rows = await batch('write', keyed, limits.writeDeadlineMs)
          return { replayed: false, rows: rows.slice(2) }
        } catch (error) {
          if (!(error instanceof StoreError)) throw error
          if (error.code === 'constraint' && error.message.includes('write_key.key')) {
            const [rows] = await batch('read', [abortedKey(key)], limits.primaryReadDeadlineMs)
            if (Number(rows?.[0]?.aborted) === 1)
              throw new StoreError('aborted', 'this write was settled as not committed', error)
            return { replayed: true, rows: [] }
          }
          if (error.code !== 'unavailable' || attempt === limits.maxWriteAttempts) throw error
        }
      }
    },
  }
}

/** The write clock moves in every keyed batch; inside it `(select n from clock)` is the batch's own value. */
const claimKey = (key: string): readonly Statement[] => [
  { sql: 'update clock set n = n + 1 where id = 1' },
  { sql: 'insert into write_key (key, clock, at) select ?, n, ? from clock', args: [key, Date.now()] },
]

/** Takes the key of a write in doubt, unless its batch has. */
const abortKey = (key: string): Statement => ({
  sql: `
    insert into write_key (key, clock, at, aborted) select ?, n, ?, 1 from clock
    where true
    on conflict (key) do nothing`,
  args: [key, Date.now()],
})

const abortedKey = (key: string): Statement => ({
  sql: 'select aborted from write_key where key = ?',
  args: [key],
})
