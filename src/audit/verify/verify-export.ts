/** An NDJSON export from its first line to its last, with the line after the one that is judged at hand. */
import { err, ok, type Result } from '../../result.ts'
import { type CoveredLog, coverLogs } from './covered-logs.ts'
import type { VerifierCrypto } from './crypto.ts'
import { ExportLines } from './export-lines.ts'
import { contradictionOf, type Header, readHeader } from './header.ts'
import type { OpenLine } from './line.ts'
import type { LogPart } from './part.ts'
import { type Finding, finding } from './report.ts'
import type { Lines } from './text.ts'
import type { Trust } from './trust.ts'

export interface VerifiedExport {
  readonly header: Header
  readonly covered: readonly CoveredLog[]
  readonly parts: readonly LogPart[]
}

/** What else must agree with the open entries, in their order. */
export interface Companion {
  begin(): Promise<Finding | null>
  take(line: OpenLine): Promise<Finding | null>
  end(): Promise<Finding | null>
}

export async function verifyExport(
  crypto: VerifierCrypto,
  trust: Trust,
  lines: AsyncIterable<Lines>,
  companion: Companion | null,
): Promise<Result<VerifiedExport, Finding>> {
  let begun: VerifiedExport | null = null
  let body: ExportLines | null = null
  let text: string | null = null
  let number = 0
  const takeLine = async (next: string | null): Promise<Finding | null> => {
    if (text === null || body === null) return null
    const taken = body.take(text, number, next)
    if (taken === null || 'code' in taken) return taken
    return companion === null ? null : companion.take(taken)
  }
  for await (const { texts, first } of lines) {
    for (const [i, next] of texts.entries()) {
      if (isBlank(next)) continue
      if (begun === null) {
        const opened = openExport(crypto, trust, next, `line ${first + i}`)
        if (!opened.ok) return opened
        const { header, covered } = opened.value
        body = new ExportLines(crypto, header, covered)
        begun = { header, covered, parts: body.parts }
        const fault = (await companion?.begin()) ?? null
        if (fault !== null) return err(fault)
        continue
      }
      const fault = await takeLine(next)
      if (fault !== null) return err(fault)
      text = next
      number = first + i
    }
  }
  if (begun === null || body === null) return err(finding('format', 'file', 'It is empty.'))
  const fault = (await takeLine(null)) ?? body.end() ?? (await companion?.end()) ?? null
  return fault === null ? ok(begun) : err(fault)
}

const isBlank = (line: string): boolean => line.length < 64 && line.trim() === ''

/** Steps 1 to 3. */
function openExport(
  crypto: VerifierCrypto,
  trust: Trust,
  text: string,
  place: string,
): Result<{ readonly header: Header; readonly covered: readonly CoveredLog[] }, Finding> {
  const header = readHeader(text, place)
  if (!header.ok) return header
  const contradiction = contradictionOf(header.value)
  if (contradiction !== null) return err(contradiction)
  const covered = coverLogs(crypto, trust, header.value)
  return covered.ok ? ok({ header: header.value, covered: covered.value }) : covered
}
