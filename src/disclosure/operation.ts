/**
 * What a feature exports. It never sees a framework's request or response: it loads once, decides, and returns what it
 * wants to disclose. `expose` appends that to the audit log and only then releases it.
 */
import type * as z from 'zod'
import type { Caller, CallerKind, Presented } from '../access/caller.ts'
import type { DecidedDocument } from '../access/policy.ts'
import type { ScopeNeed, Scopes } from '../access/scope.ts'
import type { Sight } from '../access/sight.ts'
import type { Settings, Subject, SubjectOf } from '../access/subject.ts'
import type { AccessBase } from '../audit/entry.ts'
import type { Action, AuditLogs } from '../audit/port.ts'
import type { Redactions } from '../audit/redactions.ts'
import type { Config } from '../config.ts'
import type { Definitions } from '../fhir/definitions.ts'
import type { Condition, Links, OfferedParameter } from '../fhir/interactions.ts'
import type { Result } from '../result.ts'
import type { Reader, Rows, Statement, Writer } from '../store/ports.ts'
import type { RateKind } from './rate-limit.ts'
import type { Refusal } from './refusal.ts'

export interface Operation<Param = unknown, Query = unknown> {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Hono path pattern. */
  readonly path: string
  readonly action: Action
  /** Judged from token and registry alone, so that anyone else gets the same 403 for every patient. */
  readonly callers: readonly CallerKind[]
  /** What the token's scopes must allow, if it has SMART scopes at all; null: the operation judges by itself. */
  scope(param: Param): ScopeNeed | null
  /** What a call counts as; absent: `general`. Without `identity`, people can be found by trying. */
  rate?(param: Param): RateKind
  /**
   * The log that takes what is permitted, where it belongs to what is asked about, not to who asks. Refusals go to the
   * caller's all the same, as does everything when the named log is not of the line of one served here.
   */
  log?(param: Param): string
  /** Also what it intends may stand in a successor of that log; absent: a retired log takes no intent, and no other does. */
  readonly followsLog?: true
  readonly param: z.ZodType<Param>
  /** Over the query parameters, each a string or, when repeated, an array of strings. */
  readonly query: z.ZodType<Query>
  /** Media types of an accepted body; absent: no body is read. */
  readonly bodyTypes?: readonly string[]
  /** Shapes of a JSON body, of which it is one; the operation reads it by no other. */
  readonly bodies?: readonly z.ZodType[]
  /** Of what it answers with; absent: JSON. */
  readonly mediaTypes?: readonly string[]
  /** Conditional headers it heeds; others it is not given. */
  readonly conditions?: readonly Condition[]
  /** On any type (`:type` in its path): whether it is offered for this one; absent: for all. */
  serves?(type: string): boolean
  /** Of a search: the table it searches by. */
  searchParameters?(type: string): readonly OfferedParameter[]
  /** Of a search: what may be included in its answers. */
  linksOf?(type: string): Links
  handle(ctx: OperationContext<Param, Query>): Promise<Result<Disclosure, Refusal>>
}

export interface OperationContext<Param, Query> {
  readonly param: Param
  readonly query: Query
  readonly requestId: string
  /** Public address of this record, without a slash at the end. */
  readonly origin: string
  /** Public address of the request: path and query as received. */
  readonly url: URL
  /** Milliseconds since 1970. */
  readonly now: number
  readonly language: 'fr' | 'en'
  readonly presented: Presented
  /** The token's SMART scopes. */
  readonly scopes: Scopes
  readonly keys: Pick<Config, 'idKey' | 'cursorKey'>
  /** Names of the logs served here, the serving region's first. */
  readonly logs: readonly string[]
  /**
   * The read batch of the request: policy facts and the page in one snapshot of the nearest replica and, when the
   * caller's facility belongs to this region, the local statements in parallel. Called once; a page of large documents
   * is asked for again, whole, and what the last call says holds.
   */
  load(page: (asker: Asker) => Page): Promise<Result<Loaded, Refusal>>
  /** `If-Match` as received; null without it, or where the operation does not heed it. */
  readonly ifMatch: string | null
  /** `If-None-Match` as received; null without it. */
  readonly ifNoneMatch: string | null
  /** `If-Modified-Since` as received; null without it. */
  readonly ifModifiedSince: string | null
  /** `If-None-Exist` (FHIR R4, conditional create) as received; null without it. */
  readonly ifNoneExist: string | null
  /** `Prefer` (RFC 7240) as received; null without it. */
  readonly prefer: string | null
  /** What of the body is a question, as received: it stands in the access's entry after the query of the address. */
  asked(text: string): void
  /** Reads the request body as text, within `limits.maxBodyBytes`: after `load`, when the caller's rights are known. */
  body(): Promise<Result<string, Refusal>>
  /** What the operation says of its bodies. */
  readonly bodies: readonly z.ZodType[]
  /**
   * Phase one of a write: durable before the databases can be written, which is why they are had only from here. The
   * disclosure is then appended as its outcome.
   *
   * @param once the log takes one intent of this name, ever; a further one is refused as `conflict`
   */
  intend(note: Readonly<Record<string, string>>, once?: string): Promise<Result<Writers, Refusal>>
  /** Of FHIR R4, for what is published. */
  definitions(): Promise<Definitions>
  readonly ledger: Reader
  readonly redactions: Redactions
  /** What the logs say of themselves. */
  readonly auditLogs: Pick<AuditLogs, 'attest' | 'current' | 'published' | 'status' | 'succession'>
  /** What an entry about this access says so far, with this note: for operations that append entries of their own. */
  describe(note: Readonly<Record<string, string>>): AccessBase
  /** Text of the configured tlog-policy; null: none. */
  readonly logPolicy: string | null
  /** Waits until the ledger holds all that is in this log by now. */
  drainedLog(log: string): Promise<Result<null, Refusal>>
}

/** Who asks, as far as statements need to know; verified anew when the registry has moved on. */
export interface Asker {
  readonly presented: Presented
  /** The caller's facility, confirmed by the facts of the same batch; null without one. */
  readonly facility: string | null
  /** What the row filter binds, confirmed likewise; null: nobody who reads documents. */
  readonly sight: Sight | null
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface Page {
  /**
   * Whom the page is about; absent: no person, or the caller. A function of what the local database answered: then that is
   * asked first, not in parallel.
   */
  readonly subject?: SubjectOf | ((local: readonly Rows[]) => SubjectOf)
  readonly records?: readonly Statement[]
  readonly local?: readonly Statement[]
}

export interface Loaded {
  readonly caller: Caller
  /** The persons whom `Page.subject` finds: none, one, or (by identifier) several. */
  readonly subjects: readonly Subject[]
  /** The document that `Page.subject` names, where *records* has it: for the audit log alone. */
  readonly document: DecidedDocument | null
  readonly settings: Settings
  readonly records: readonly Rows[]
  /** Empty when the local database was not asked, or did not answer. */
  readonly local: readonly Rows[]
  /** The local database of the caller's region is served here. */
  readonly hasLocal: boolean
  /** It was asked and did not answer: what is not shared is missing from the page. */
  readonly isLocalMissing: boolean
}

export interface Writers {
  /** The primary of *records*. */
  readonly records: Writer
  /** The local database of the caller's region, null when it is not served here. */
  readonly local: Writer | null
}

/** What leaves for one patient (or about none): becomes that patient's audit entries. */
export interface Disclosed {
  /** Person id, null: about no patient. */
  readonly patient: string | null
  /** `Type/id/_history/version`. */
  readonly resources: readonly string[]
}

/** Of whatever inputs: for lists, whose readers never look inside. Each operation checks its own by its schemas. */
// biome-ignore lint/suspicious/noExplicitAny: inputs stand on both sides of `handle` and the schemas, so `unknown` fits none.
export type AnyOperation = Operation<any, any>

export interface Disclosure {
  readonly status: number
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | DisclosureStream
  readonly disclosed: readonly Disclosed[]
  /** Tagged reason of the permit, e.g. `shared-domain`, `own-facility`. */
  readonly reason: string
  /** Why an emergency was declared: the entry's break-glass reason. */
  readonly breakGlassReason?: string | null
  /** Rows that SQL let through and the policy refused: recorded, alarmed, not disclosed. */
  readonly mismatches?: readonly string[]
  readonly note?: Readonly<Record<string, string>>
}

/** A streamed export: each chunk's patients are in the log before its bytes leave. */
export interface DisclosureStream {
  readonly exportId: string
  readonly chunks: AsyncIterable<DisclosureChunk>
}

export interface DisclosureChunk {
  /** Person ids: that it tells of them is in the log before the bytes leave. */
  readonly patients: readonly string[]
  readonly bytes: Uint8Array
}
