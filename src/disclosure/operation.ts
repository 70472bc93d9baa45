/**
 * What a feature exports. It never sees a framework's request or response: it loads once, decides, and returns what it
 * wants to disclose. `expose` appends that to the audit log and only then releases it.
 */
import type { z } from 'zod'
import type { Caller, CallerKind, Facts, Presented } from '../access/caller.ts'
import type { Action } from '../audit/port.ts'
import type { Config, Region } from '../config.ts'
import type { Result } from '../result.ts'
import type { Reader, Rows, Statement, Writer } from '../store/ports.ts'
import type { Refusal } from './refusal.ts'

export interface Operation<Param = unknown, Query = unknown> {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Hono path pattern. */
  readonly path: string
  readonly action: Action
  /** Judged from token and registry alone, so that anyone else gets the same 403 for every patient. */
  readonly callers: readonly CallerKind[]
  readonly param: z.ZodType<Param>
  /** Over the query parameters, each a string or, when repeated, an array of strings. */
  readonly query: z.ZodType<Query>
  /** Media types of an accepted body; absent: no body is read. */
  readonly bodyTypes?: readonly string[]
  handle(ctx: OperationContext<Param, Query>): Promise<Result<Disclosure, Refusal>>
}

export interface OperationContext<Param, Query> {
  readonly param: Param
  readonly query: Query
  /** Text of the request body, within `limits.maxBodyBytes`; empty without `bodyTypes`. */
  readonly body: string
  readonly requestId: string
  /** Scheme and host as the caller wrote them. */
  readonly origin: string
  /** Path and query as received. */
  readonly url: URL
  /** Milliseconds since 1970. */
  readonly now: number
  readonly language: 'fr' | 'en'
  readonly presented: Presented
  /** The caller's facility as the isolate remembers it, confirmed by `load`; null without a facility. */
  readonly facilityHint: string | null
  readonly config: Config
  /**
   * The read batch of the request, to be called once: policy facts and the page in one snapshot of the nearest replica
   * and, when the caller's facility belongs to this region, the local statements in parallel.
   */
  load(page: {
    readonly records?: readonly Statement[]
    readonly local?: readonly Statement[]
  }): Promise<Result<Loaded, Refusal>>
  /** Phase one of a write: durable before anything is written. The disclosure is then appended as its outcome. */
  intend(note: Readonly<Record<string, string>>): Promise<Result<void, Refusal>>
  /** The primary of *records*. */
  readonly records: Writer
  /** The local database of the caller's region, null when it is not served here. */
  readonly local: Writer | null
  readonly audit: Reader
  /** Size of the log of this access and whether the ledger holds it: for exports. */
  drainedLog(log: string): Promise<Result<{ readonly size: string }, Refusal>>
}

export interface Loaded {
  readonly facts: Facts
  readonly caller: Caller
  readonly records: readonly Rows[]
  /** Empty when the local database was not asked. */
  readonly local: readonly Rows[]
  readonly region: Region | null
}

/** What leaves for one patient (or about none): becomes that patient's audit entries. */
export interface Disclosed {
  /** Person id, null: about no patient. */
  readonly patient: string | null
  /** `Type/id/_history/version`. */
  readonly resources: readonly string[]
}

export interface Disclosure {
  readonly status: number
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | DisclosureStream
  readonly disclosed: readonly Disclosed[]
  /** Tagged reason of the permit, e.g. `shared`, `own-facility`. */
  readonly reason: string
  /** Rows that SQL let through and the policy refused: recorded, alarmed, not disclosed. */
  readonly mismatches?: readonly string[]
  readonly note?: Readonly<Record<string, string>>
}

/** A streamed export: each chunk's patients are in the log before its bytes leave. */
export interface DisclosureStream {
  readonly exportId: string
  readonly chunks: AsyncIterable<{ readonly patients: readonly string[]; readonly bytes: Uint8Array }>
}
