/** What the rest of the app says to an audit log, and what it gets back. The log itself is `sequencer.ts`. */
import type { Result } from '../result.ts'
import type { Receipt } from './receipt.ts'
import type { SuccessionRpc } from './succession.ts'

export type Action =
  | 'authenticate'
  | 'read'
  | 'vread'
  | 'history'
  | 'search'
  | 'operation'
  | 'create'
  | 'update'
  | 'delete'
  | 'publish'
  | 'export'
  | 'audit-read'
  | 'policy'
  | 'break-glass'
  | 'redaction'
  | 'succession'

/** `access`: a read or a refusal. A write is an `intent` and an `outcome`. `chunk`: the next part of a streamed export. */
export type Phase = 'access' | 'intent' | 'outcome' | 'chunk'

/** Who asked, as the token said and the registry confirmed; members are null where not known. */
export interface Who {
  readonly issuer: string | null
  readonly subject: string | null
  readonly client: string | null
  /** Registry id of the professional. */
  readonly practitioner: string | null
  readonly name: string | null
  readonly role: string | null
  /** Of a caller whom the registry refused: the one his token named, if the registry knows it. */
  readonly facility: string | null
  /** Of a confirmed caller's facility. */
  readonly organisation: string | null
  /** `jti` of the token. */
  readonly token: string | null
  /** The peer's address, or that in the header named by the operator. */
  readonly address: string | null
}

/** The app's part of one entry: serialised as canonical JSON (RFC 8785) and never changed after. */
export interface Access {
  readonly requestId: string
  /** The client's own `X-Request-Id`, as received (cut). */
  readonly clientRequestId: string | null
  readonly phase: Phase
  /** `part` of `parts`, from 1: patients and continuations of one access. */
  readonly part: number
  readonly parts: number
  readonly action: Action
  /** Name of the operation, e.g. `search-type`. */
  readonly operation: string
  readonly who: Who
  /** v3-ActReason code. */
  readonly purpose: string | null
  readonly breakGlassReason: string | null
  /** Person id. */
  readonly patient: string | null
  /** `Type/id/_history/version` of what was disclosed or written. */
  readonly resources: readonly string[]
  readonly query: {
    readonly method: string
    readonly path: string
    /** As received, cut at `limits.maxEntryQueryBytes`. */
    readonly text: string
    /** SHA-256 of the whole, hexadecimal. */
    readonly sha256: string
  }
  readonly decision: {
    readonly outcome: 'permit' | 'deny' | 'error'
    readonly reason: string
    readonly detail: string | null
  }
  /** `<epoch>.<n>` of the write clock, null where no facts were read. */
  readonly policyVersion: string | null
  /** Null when fresh. */
  readonly staleness: { readonly seconds: number; readonly degraded: boolean } | null
  /** HTTP status of the answer. */
  readonly status: number
  /** The export a chunk belongs to, and other facts of single operations; strings only. */
  readonly note: Readonly<Record<string, string>> | null
}

export interface EntryDraft {
  /** Canonical JSON of an `Access`. */
  readonly access: string
  /** Keys of the two chains; null: not in that chain. */
  readonly patient: string | null
  readonly organisation: string | null
}

export interface AppendRequest {
  /** UUID made by the app. With phase and part it makes an append unique for `limits.appendMemoryMs`. */
  readonly requestId: string
  readonly phase: Phase
  /** Distinguishes the chunks of one export; 0 elsewhere. */
  readonly sequence: number
  /** 1..`limits.maxAppendEntries`. */
  readonly entries: readonly EntryDraft[]
  /** One-time keys (DPoP proofs, `jti`): refused in the same commit when seen before `untilMs`. */
  readonly once: readonly { readonly key: string; readonly untilMs: number }[]
}

/** Plain data, as it crosses RPC. */
export interface AppendReply {
  readonly log: string
  /** Decimal. */
  readonly first: string
  readonly count: number
  /** RFC 6962 tree hash of the access's leaves, base64url without padding. */
  readonly hash: string
  /** Sequencer's time, ISO 8601 UTC with milliseconds. */
  readonly time: string
}

export type AppendRefusal =
  /** The log did not answer in time, failed, or was killed: nothing may be released. */
  | { readonly reason: 'log-unavailable'; readonly detail: string }
  | { readonly reason: 'log-overload' }
  /** A one-time key was seen before. */
  | { readonly reason: 'replayed'; readonly key: string }
  /** Past `maxSingleFailuresPerMinute`: counted, to be appended with the others of its minute. */
  | { readonly reason: 'counted' }

/** The log has ended; its successor takes the append. `auditLogs` follows, so that no operation sees this. */
export interface Retired {
  readonly reason: 'retired'
  readonly successor: string
}

/** An intent that has had no outcome for `limits.settleAfterMs`. */
export interface OpenIntent {
  readonly requestId: string
  /** Canonical JSON of the intent's first `Access`. */
  readonly access: string
  readonly organisation: string | null
}

export interface LogStatus {
  readonly log: string
  readonly size: string
  /** All entries below this index are in the audit database. */
  readonly drained: string
  /** All entries below this index are covered by a checkpoint that anyone can have. */
  readonly published: string
  readonly openIntents: number
  /**
   * `unanchored`: it takes appends, but signs nothing until somebody else has said how far it had come. `halted`: somebody
   * remembers more, or otherwise, than the log itself; it takes nothing and signs nothing. `retired`: it is closed, its
   * successor begins or has begun.
   */
  readonly standing: 'unanchored' | 'anchored' | 'halted' | 'retired'
  /** Where its appends go; null until callers are to follow. */
  readonly successor: string | null
  /**
   * Why it can never go on by itself, e.g. another entry at an index of the ledger; null: it goes on, or will when the
   * audit database answers. Somebody must look.
   */
  readonly fault: string | null
  /** Why witnesses did not cosign, one sentence each. */
  readonly witnesses: readonly string[]
}

/** A log as the list of logs tells of it (`docs/audit-log.md` §3). */
export interface ListedLog {
  readonly log: string
  readonly vkey: string
  /** Null: none. */
  readonly mldsa44Vkey: string | null
  readonly predecessor: string | null
  readonly isRetired: boolean
}

export interface AttestRequest {
  /** At most `limits.maxAttestedChains`. */
  readonly chains: readonly { readonly kind: 'organisation' | 'patient'; readonly key: string }[]
  /** Every log there is, as far as the caller knows. */
  readonly list: readonly ListedLog[]
}

/** What a log says of itself, all as of one size: signed notes. */
export interface Attestation {
  readonly log: string
  /** Entries in the log, decimal. */
  readonly size: string
  /** `dossier-head/v1`, one for each chain, in order. */
  readonly heads: readonly string[]
  /** `dossier-logs/v1`; it names every log that this one ever signed for, also where the caller forgot it. */
  readonly list: string
}

/** The audit logs an app can reach, by name. */
export interface AuditLogs {
  append(log: string, request: AppendRequest): Promise<Result<Receipt, AppendRefusal>>
  /** As `append`, but to this very log, never to a successor: of a retired one `log-unavailable`. */
  appendTo(log: string, request: AppendRequest): Promise<Result<Receipt, AppendRefusal>>
  /**
   * Appends a failed authentication: singly up to the limit per address and minute, then counted (`counted`), from a
   * queue of its own that never delays other appends.
   */
  appendFailure(
    log: string,
    address: string,
    reason: string,
    request: AppendRequest,
  ): Promise<Result<Receipt, AppendRefusal>>
  status(log: string): Promise<Result<LogStatus, AppendRefusal>>
  /** Name of the log that takes the appends of this one today: itself, or the last of its successors. */
  current(log: string): Promise<Result<string, AppendRefusal>>
  /** Resolves true when every entry below `size` is in the audit database, false when `limits.exportDrainWaitMs` passed. */
  drained(log: string, size: string): Promise<boolean>
  /** Of the log that takes the appends of this one today. */
  openIntents(log: string): Promise<Result<readonly OpenIntent[], AppendRefusal>>
  attest(log: string, request: AttestRequest): Promise<Result<Attestation, AppendRefusal>>
  /**
   * Resolves true when the audit database has a checkpoint that covers `size`, false when `waitMs` (at most
   * `limits.exportDrainWaitMs`) passed. Size 0 is covered by nothing being there.
   */
  published(log: string, size: string, waitMs: number): Promise<boolean>
  /** For ending a log: `succeedLog`. Its calls reject when a log does not answer. */
  readonly succession: SuccessionRpc
}
