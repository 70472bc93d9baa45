/** The two database ports the app is written against; `store/hrana.ts` is their adapter for sqld. */

export type SqlValue = string | number | null | Uint8Array

/** One parameterised statement. Values are always bound, never spliced: sqld's statistics show SQL text. */
export interface Statement {
  readonly sql: string
  readonly args?: readonly SqlValue[] | Readonly<Record<string, SqlValue>>
}

export type Row = Readonly<Record<string, unknown>>
export type Rows = readonly Row[]

/** Reads see one consistent snapshot per call: one request, one transaction. */
export interface Reader {
  /** Resolves to one `Rows` per statement, in order. Rejects with `StoreError`. */
  read(statements: readonly Statement[], deadlineMs?: number): Promise<readonly Rows[]>
}

/**
 * Idempotent write batches. The batch and the row `write_key(key)` commit together, so that a time-out which may have
 * committed is told apart from one which did not: repeating the call with the same key never applies it twice.
 */
export interface Writer extends Reader {
  /**
   * Applies `statements` once under `key`. `replayed` says that an earlier attempt had already committed (its rows are
   * then not known: read them again). Rejects with `StoreError`; only `unavailable` leaves open whether it committed, until
   * `abort` decides.
   */
  write(
    key: string,
    statements: readonly Statement[],
  ): Promise<{ readonly replayed: boolean; readonly rows: readonly Rows[] }>
  /** A write batch that is idempotent by nature (heartbeat, draining): no key, no clock, one attempt. */
  apply(statements: readonly Statement[], deadlineMs?: number): Promise<readonly Rows[]>
  /**
   * Decides, durably, a write that is in doubt. True: the batch with this key had not committed and now never will, however
   * late it comes (`aborted`). False: it has committed. Rejects with `StoreError`; then nothing is decided.
   */
  abort(key: string): Promise<boolean>
}

export type StoreErrorCode =
  /** No answer, an overloaded or a stopped server. A write may have committed. */
  | 'unavailable'
  /** A constraint or a trigger refused the batch; `message` carries its name. Nothing was applied. */
  | 'constraint'
  /** `abort` came first: nothing was applied, and nothing will be under this key. */
  | 'aborted'
  /** Anything else the database said; a defect of ours. Nothing was applied. */
  | 'statement'

/** The only exception that crosses the database ports. */
export class StoreError extends Error {
  override name = 'StoreError'
  readonly code: StoreErrorCode
  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
