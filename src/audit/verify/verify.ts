/** Verifies a file that is evidence: an export in NDJSON, one in CSV with its proof, the proof of one entry. */
import { err, ok, type Result } from '../../result.ts'
import type { VerifierCrypto } from './crypto.ts'
import { readRecords } from './csv-records.ts'
import { CsvRows } from './csv-rows.ts'
import { type Finding, finding, type Report, UnreadableError, type VerifiedLog } from './report.ts'
import { decodeText, joinText, splitLines } from './text.ts'
import { readTrust, type Trust } from './trust.ts'
import { type VerifiedExport, verifyExport } from './verify-export.ts'
import { verifyProof } from './verify-proof.ts'

export interface VerifyInput {
  /** What kind of file it is, its content tells. */
  readonly file: AsyncIterable<Uint8Array>
  /** The NDJSON export of the same entries, where the file is CSV. */
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
  if (head.trim() === '') return err(finding('format', 'file', 'It is empty.'))
  if (begins('{') || begins('c2sp.org/tlog-proof')) {
    if (proof !== undefined)
      return err(finding('format', 'file', 'Only an export in CSV is verified with a file of proofs.'))
    if (begins('{')) {
      const verified = await verifyExport(crypto, trust, splitLines(text), null)
      return verified.ok ? ok(exportReport(verified.value)) : verified
    }
    const verified = verifyProof(crypto, trust, await joinText(text, 'file'))
    if (!verified.ok) return verified
    return ok({ kind: 'tlog-proof', logs: [verified.value.log], notChecked: verified.value.notChecked })
  }
  if (proof !== undefined) return verifyCsv(crypto, trust, text, proof)
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

async function verifyCsv(
  crypto: VerifierCrypto,
  trust: Trust,
  text: AsyncIterable<string>,
  proof: AsyncIterable<Uint8Array>,
): Promise<Result<Verified, Finding>> {
  const rows = new CsvRows(readRecords(text))
  try {
    const lines = splitLines(decodeText(proof, 'proof'))
    const verified = await verifyExport(crypto, trust, lines, rows)
    if (verified.ok) return ok(exportReport(verified.value))
    const { code, source } = verified.error
    // What is wrong is wrong with the proofs, unless it was found in a row.
    const isOfRow = code.startsWith('csv-') || verified.error.place.startsWith('row ')
    return err({ ...verified.error, source: source === 'file' && !isOfRow ? 'proof' : source })
  } finally {
    await rows.close()
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

/** Enough of the beginning to tell what it is. */
async function readHead(pieces: AsyncIterator<string>): Promise<string> {
  let head = ''
  while (head.trimStart().length < 64) {
    const { value, done } = await pieces.next()
    if (done) return head
    head += value
    if (head.length > maxHeadLength) return head
  }
  return head
}

/** Blank lines before the first one are passed over, but not without end. */
const maxHeadLength = 1024 * 1024

async function* prepend(head: string, pieces: AsyncIterable<string>): AsyncGenerator<string> {
  if (head !== '') yield head
  yield* pieces
}
