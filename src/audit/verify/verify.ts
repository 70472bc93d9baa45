/** Verifies a file that is evidence: an export in NDJSON, one in CSV or as AuditEvents with its proof, the proof of one entry. */
import { err, ok, type Result } from '../../result.ts'
import type { VerifierCrypto } from './crypto.ts'
import { readRecords } from './csv-records.ts'
import { CsvRows } from './csv-rows.ts'
import { isObject } from './entry-frame.ts'
import { EventLines } from './event-lines.ts'
import { type Finding, finding, type Report, UnreadableError, type VerifiedLog } from './report.ts'
import { parseJson } from './strict-json.ts'
import { decodeText, joinText, splitLines } from './text.ts'
import { readTrust, type Trust } from './trust.ts'
import { type Companion, type VerifiedExport, verifyExport } from './verify-export.ts'
import { verifyProof } from './verify-proof.ts'

export interface VerifyInput {
  /** What kind of file it is, its content tells. */
  readonly file: AsyncIterable<Uint8Array>
  /** The NDJSON export of the same entries, where the file is CSV or AuditEvents. */
  readonly proof?: AsyncIterable<Uint8Array>
  /** Text of a tlog-policy. */
  readonly policy?: string
  /** Texts of signed checkpoints, kept from earlier or had from a witness. */
  readonly known?: readonly string[]
}

type Verified = Pick<Report & { readonly ok: true }, 'kind' | 'logs' | 'notChecked'>

/**
 * Whatever the input is, the answer is a report. Memory does not grow with the file, but by some 100 bytes for each
 * redaction in it.
 * @example const report = await verify(portableCrypto, { file: response.body })
 */
export async function verify(crypto: VerifierCrypto, input: VerifyInput): Promise<Report> {
  try {
    const trust = readTrust(crypto, input.policy ?? null, input.known ?? [])
    if (!trust.ok) return { ok: false, ...trust.error }
    const verified = await verifyByContent(crypto, trust.value, input)
    if (!verified.ok) return { ok: false, ...verified.error }
    return {
      ok: true,
      ...verified.value,
      trust: trust.value.policy === null ? 'file' : 'policy',
    }
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    return { ok: false, ...error.finding() }
  }
}

async function verifyByContent(
  crypto: VerifierCrypto,
  trust: Trust,
  input: VerifyInput,
): Promise<Result<Verified, Finding>> {
  const pieces = decodeText(input.file, 'file')
  try {
    return await verifyPieces(crypto, trust, pieces, input.proof)
  } finally {
    await pieces.return(undefined)
  }
}

async function verifyPieces(
  crypto: VerifierCrypto,
  trust: Trust,
  pieces: AsyncGenerator<string>,
  proof: VerifyInput['proof'],
): Promise<Result<Verified, Finding>> {
  const head = await readHead(pieces)
  const text = prepend(head, pieces)
  const begins = (prefix: string): boolean => head.trimStart().startsWith(prefix)
  // Of a log without entries there are no events.
  const isEvents = begins('{') ? isEvent(head) : head.trim() === '' && proof !== undefined
  if (head.trim() === '' && !isEvents) return err(finding('format', 'file', 'It is empty.'))
  if (isEvents)
    return proof === undefined
      ? err(finding('format', 'file', 'AuditEvents are verified with the file of their proofs.'))
      : verifyBeside(crypto, trust, new EventLines(crypto.sha256, splitLines(text)), proof)
  if (begins('{') || begins('c2sp.org/tlog-proof')) {
    if (proof !== undefined)
      return err(
        finding(
          'format',
          'file',
          'Only an export in CSV or as AuditEvents is verified with a file of proofs.',
        ),
      )
    if (begins('{')) {
      const verified = await verifyExport(crypto, trust, splitLines(text), null)
      return verified.ok ? ok(exportReport(verified.value)) : verified
    }
    const verified = verifyProof(crypto, trust, await joinText(text, 'file'))
    if (!verified.ok) return verified
    return ok({ kind: 'tlog-proof', logs: [verified.value.log], notChecked: verified.value.notChecked })
  }
  if (proof !== undefined) return verifyBeside(crypto, trust, new CsvRows(readRecords(text)), proof)
  return err(
    finding(
      'format',
      'file',
      /^"?log"?[,;\t]/.test(head.trimStart())
        ? 'An export in CSV is verified with the file of its proofs.'
        : 'It is neither an export nor the proof of an entry.',
    ),
  )
}

/** Whether the first line is a resource of FHIR. */
const isEvent = (head: string): boolean => {
  const first = parseJson(head.trimStart().split('\n', 1)[0] ?? '')
  return isObject(first) && Object.hasOwn(first, 'resourceType')
}

interface CompanionFile extends Companion {
  close(): Promise<void>
}

/** A file that tells of the entries of another one, which proves them. */
async function verifyBeside(
  crypto: VerifierCrypto,
  trust: Trust,
  file: CompanionFile,
  proof: AsyncIterable<Uint8Array>,
): Promise<Result<Verified, Finding>> {
  const told = new Set<Finding>()
  const note = (fault: Finding | null): Finding | null => {
    if (fault !== null) told.add(fault)
    return fault
  }
  const companion: Companion = {
    begin: async () => note(await file.begin()),
    take: async (line) => note(await file.take(line)),
    end: async () => note(await file.end()),
  }
  try {
    const lines = splitLines(decodeText(proof, 'proof'))
    const verified = await verifyExport(crypto, trust, lines, companion)
    if (verified.ok) return ok(exportReport(verified.value))
    const { source } = verified.error
    // What is wrong is wrong with the proofs, unless it was found in what they go with.
    return err({
      ...verified.error,
      source: source === 'file' && !told.has(verified.error) ? 'proof' : source,
    })
  } finally {
    await file.close()
  }
}

const exportReport = ({ header, covered, parts }: VerifiedExport): Verified => ({
  kind: header.completeness,
  logs: covered.map((log, i): VerifiedLog => {
    const { origin, first, end, current } = log.header
    return {
      log: log.header.log,
      origin,
      checkpointSize: String(log.checkpoint?.size ?? 0n),
      first,
      end,
      entries: parts[i]?.state.entries ?? 0,
      redacted: parts[i]?.state.redacted ?? 0,
      pruned: parts[i]?.state.pruned ?? 0,
      current,
      keys: log.checkpoint?.keys ?? [],
      witnesses: log.checkpoint?.witnesses ?? [],
      known: log.known,
    }
  }),
  notChecked: covered.flatMap(({ checkpoint }) => checkpoint?.notChecked ?? []),
})

/** Enough of the beginning to tell what it is: of JSON, the first line. */
async function readHead(pieces: AsyncIterator<string>): Promise<string> {
  let head = ''
  for (;;) {
    const begun = head.trimStart()
    const isEnough = begun.startsWith('{') ? begun.includes('\n') : begun.length >= 64
    if (isEnough || head.length > maxHeadLength) return head
    const { value, done } = await pieces.next()
    if (done) return head
    head += value
  }
}

/** Blank lines before the first one are passed over, but not without end. */
const maxHeadLength = 1024 * 1024

async function* prepend(head: string, pieces: AsyncIterable<string>): AsyncGenerator<string> {
  if (head !== '') yield head
  yield* pieces
}
