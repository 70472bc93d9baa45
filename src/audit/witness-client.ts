import type { NoteSignature, VerifierKey } from './tlog/note.ts'
import type { AddCheckpoint } from './tlog/witness.ts'

export interface Witness {
  readonly name: string
  readonly keys: readonly VerifierKey[]
  readonly url: string
}

export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly lines: readonly NoteSignature[] }
  | { readonly kind: 'conflict'; readonly size: bigint }
  | { readonly kind: 'unknown-log' }
  | { readonly kind: 'rejected'; readonly status: number; readonly detail: string }
  | { readonly kind: 'unreachable'; readonly detail: string }

export interface WitnessClient {
  submit(witness: Witness, request: AddCheckpoint): Promise<WitnessAnswer>
}
