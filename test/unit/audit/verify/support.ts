/** Runs verifiers over texts, as a file that a test has made. */
import { expect } from 'vitest'
import type { VerifierCrypto } from '../../../../src/audit/verify/crypto.ts'
import { fsck } from '../../../../src/audit/verify/fsck.ts'
import type { Report } from '../../../../src/audit/verify/report.ts'
import { type VerifyInput, verify } from '../../../../src/audit/verify/verify.ts'
import { nodeCrypto } from '../../../../src/cli/node-crypto.ts'
import { ndjson, type SampleExport, type SampleSite } from './sample-files.ts'

/** In pieces of `size` bytes. */
export async function* streamOf(data: string | Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

interface Beside {
  readonly proof?: string
  readonly policy?: string
  readonly known?: readonly string[]
}

export function verifyText(
  file: string | Uint8Array,
  { proof, ...trust }: Beside = {},
  crypto: VerifierCrypto = nodeCrypto,
): Promise<Report> {
  const input: VerifyInput = { ...trust, file: streamOf(file) }
  return verify(crypto, proof === undefined ? input : { ...input, proof: streamOf(proof) })
}

export const verifyExport = (file: SampleExport, beside: Beside = {}): Promise<Report> =>
  verifyText(ndjson(file), beside)

/** fsck of a folder that holds logs beside their list, or of one log. */
export const fsckSite = (
  site: SampleSite,
  trust: { readonly policy?: string; readonly known?: readonly string[] } = {},
  crypto: VerifierCrypto = nodeCrypto,
): Promise<Report> =>
  fsck(crypto, {
    ...trust,
    fetchFile: async (path) => site.get(path) ?? null,
    listing: { path: 'logs.json', folderOf: (log) => log },
  })

/** A copy that may be changed. */
export const copyOf = (file: SampleExport): SampleExport => structuredClone(file)

export function expectVerified(report: Report): void {
  expect(report).toMatchObject({ ok: true })
}

/** Also that the sentence is one, for a person. */
export function expectFault(report: Report, code: string, place: string, source: unknown = 'file'): void {
  expect(report).toMatchObject({ ok: false, code, place, source })
  expect(report).toHaveProperty('sentence', expect.stringMatching(/^[A-Z].{10,}\.$/))
}
