/** Asking a witness to cosign a checkpoint (C2SP tlog-witness, add-checkpoint), as the log does. */
import { boundedBody } from '../bounded-body.ts'
import { limits } from '../limits.ts'
import { signatureFunctions } from './signature-functions.ts'
import { FormatError } from './tlog/errors.ts'
import { type NoteSignature, parseNote, parseSignatureLines, type VerifierKey } from './tlog/note.ts'
import { checkSignature } from './tlog/signature.ts'
import { type AddCheckpoint, formatAddCheckpoint, parseStoredSize, storedSizeType } from './tlog/witness.ts'

export interface Witness {
  /** How it is called in messages. */
  readonly name: string
  /** Its cosignature keys; lines of others are ignored. */
  readonly keys: readonly VerifierKey[]
  /** Its submission prefix. */
  readonly url: string
}

export type WitnessAnswer =
  /** Verified lines of the witness's keys, one or more, each key once. */
  | { readonly kind: 'cosigned'; readonly lines: readonly NoteSignature[] }
  /** It cosigned a checkpoint of this size last, not of the old size of the request. */
  | { readonly kind: 'conflict'; readonly size: bigint }
  | { readonly kind: 'unknown-log' }
  /** It does not cosign this checkpoint, or did not answer as a witness does: asking the same again is of no use. */
  | { readonly kind: 'rejected'; readonly status: number; readonly detail: string }
  /** No answer, or one of a server that cannot answer now: ask again later. */
  | { readonly kind: 'unreachable'; readonly detail: string }

/** What asks witnesses. */
export interface WitnessClient {
  /**
   * Sends one request. That the checkpoint is consistent with what the witness has is for the witness to judge. Rejects
   * only when the request itself cannot be written: `FormatError`, `RangeError`.
   */
  submit(witness: Witness, request: AddCheckpoint): Promise<WitnessAnswer>
}

export interface WitnessClientOptions {
  readonly fetch: typeof fetch
  /** Milliseconds since 1970: cosignatures from further ahead than `limits.maxWitnessSkewSeconds` are rejected. */
  readonly now: () => number
  /** Until the whole answer is here. */
  readonly deadlineMs: number
}

export const witnessClient = (options: WitnessClientOptions): WitnessClient => ({
  submit: (witness, request) => submitCheckpoint(options, witness, request),
})

async function submitCheckpoint(
  { fetch: send, now, deadlineMs }: WitnessClientOptions,
  witness: Witness,
  request: AddCheckpoint,
): Promise<WitnessAnswer> {
  const sent = formatAddCheckpoint(request)
  const { text } = parseNote(request.checkpoint)
  // Not AbortSignal.timeout: its timer would live on after the answer, and keep a Durable Object from being evicted.
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs)
  try {
    const response = await send(`${witness.url.replace(/\/+$/, '')}/add-checkpoint`, {
      method: 'POST',
      body: sent,
      // A witness is where its operator said, and nowhere else.
      redirect: 'manual',
      signal: deadline.signal,
    })
    const body = await boundedBody(response, limits.maxWitnessAnswerBytes)
    if (body === null) return rejected(response.status, `more than ${limits.maxWitnessAnswerBytes} bytes`)
    const answer = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(body)
    return judge(response, answer, witness, text, now())
  } catch (error) {
    return { kind: 'unreachable', detail: detailOf(reasonOf(error)) }
  } finally {
    clearTimeout(timer)
  }
}

function judge(
  response: Response,
  answer: string,
  witness: Witness,
  text: string,
  nowMs: number,
): WitnessAnswer {
  const { status } = response
  try {
    if (status === 200) return cosigned(answer, witness, text, nowMs)
    if (status === 409) return conflict(response, answer)
  } catch (error) {
    if (error instanceof FormatError) return rejected(status, error.message)
    throw error
  }
  if (status === 404) return { kind: 'unknown-log' }
  if (status === 408 || status === 429 || status >= 500)
    return { kind: 'unreachable', detail: detailOf(`status ${status}: ${answer}`) }
  return rejected(status, answer)
}

function cosigned(answer: string, { name, keys }: Witness, text: string, nowMs: number): WitnessAnswer {
  const latest = BigInt(Math.floor(nowMs / 1000) + limits.maxWitnessSkewSeconds)
  const lines = new Map<VerifierKey, NoteSignature>()
  for (const line of parseSignatureLines(answer)) {
    const key = keys.find((known) => known.name === line.name && known.keyId === line.keyId)
    if (key === undefined) continue
    const verdict = checkSignature(signatureFunctions, key, text, line.signature)
    if (verdict.status !== 'valid') return rejected(200, `a signature by the key ${key.name} is invalid`)
    // Without a time it would not say that this is the largest tree the witness saw.
    if (!verdict.timestamp) return rejected(200, `a signature by the key ${key.name} has no time`)
    if (verdict.timestamp > latest)
      return rejected(200, `a signature by the key ${key.name} is of ${verdict.timestamp}, in the future`)
    // A reader takes one line a key.
    if (!lines.has(key)) lines.set(key, line)
  }
  if (lines.size === 0) return rejected(200, `no signature by a known key of ${name}`)
  return { kind: 'cosigned', lines: [...lines.values()] }
}

function conflict(response: Response, answer: string): WitnessAnswer {
  const type = response.headers.get('Content-Type')
  // Before July 2026 witnesses said 409, without a size, to another root of the same size.
  if (type !== storedSizeType) return rejected(409, answer)
  return { kind: 'conflict', size: parseStoredSize(answer) }
}

const rejected = (status: number, detail: string): WitnessAnswer => ({
  kind: 'rejected',
  status,
  detail: detailOf(detail),
})

/** Node says only "fetch failed" itself, and why in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

/** Foreign text, for one line of a message. */
const detailOf = (text: string): string =>
  text
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, limits.maxWitnessDetailLength)
