/** The two verifiers over one subject, and what they say in the same words. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { VerifierCrypto } from '../../../../src/audit/verify/crypto.ts'
import { fsck } from '../../../../src/audit/verify/fsck.ts'
import type { Report, Source } from '../../../../src/audit/verify/report.ts'
import { verify } from '../../../../src/audit/verify/verify.ts'
import { nodeCrypto } from '../../../../src/cli/node-crypto.ts'
import type { SampleSite } from '../verify/sample-files.ts'

export type Content = string | Uint8Array

/** What a verifier is given: a file, or what logs publish, and what goes with it. */
export interface Subject {
  readonly file: Content | SampleSite
  readonly proof?: Content
  readonly policy?: string
  readonly known?: readonly string[]
}

export type Verdict =
  | { readonly ok: true }
  | {
      readonly ok: false
      readonly code: string
      readonly place: string
      readonly sentence: string
      readonly source: Source
    }

/** What a command says of itself; null where it is not there. */
const versionOf = (command: string, argument: string): string | null => {
  const { status, stdout } = spawnSync(command, [argument], { encoding: 'utf8' })
  return status === 0 ? stdout : null
}

/** Whether the second verifier can run here. */
export const hasPython =
  versionOf('python3', '--version') !== null && versionOf('openssl', 'version') !== null

export const isSite = (file: Subject['file']): file is SampleSite => file instanceof Map

async function* once(content: Content): AsyncGenerator<Uint8Array> {
  yield typeof content === 'string' ? new TextEncoder().encode(content) : content
}

const verdictOf = (report: Report): Verdict => {
  if (report.ok) return { ok: true }
  const { code, place, sentence, source } = report
  return { ok: false, code, place, sentence, source }
}

/** The verifier in TypeScript. */
export async function askTypeScript(
  { file, proof, policy, known = [] }: Subject,
  crypto: VerifierCrypto = nodeCrypto,
): Promise<Verdict> {
  const trust = { known, ...(policy === undefined ? {} : { policy }) }
  if (isSite(file))
    return verdictOf(
      await fsck(crypto, {
        ...trust,
        fetchFile: async (path) => file.get(path) ?? null,
        listing: { path: 'logs.json', folderOf: (log) => log },
      }),
    )
  const input = { ...trust, file: once(file) }
  return verdictOf(await verify(crypto, proof === undefined ? input : { ...input, proof: once(proof) }))
}

/** Whether the openssl command can check ML-DSA-44, from 3.5 on. */
export const hasMlDsa44 = ((): boolean => {
  const [, major, minor] = /^OpenSSL (\d+)\.(\d+)/.exec(versionOf('openssl', 'version') ?? '') ?? []
  return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 5)
})()

const { mlDsa44, ...otherSignatures } = nodeCrypto.signatures

/** What the openssl command can check here, so that the two know equally much. */
export const sameCrypto: VerifierCrypto =
  hasMlDsa44 && mlDsa44 !== undefined ? nodeCrypto : { ...nodeCrypto, signatures: otherSignatures }

/** Paths of a subject's parts in a folder. */
export interface WrittenSubject {
  readonly command: 'verify' | 'fsck'
  readonly target: string
  readonly proof?: string
  readonly policy?: string
  readonly known: readonly string[]
}

export function writeSubject(folder: string, { file, proof, policy, known = [] }: Subject): WrittenSubject {
  const write = (name: string, content: Content): string => {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }
  if (isSite(file)) for (const [path, bytes] of file) write(join('site', path), bytes)
  return {
    command: isSite(file) ? 'fsck' : 'verify',
    target: isSite(file) ? join(folder, 'site') : write('file', file),
    ...(proof === undefined ? {} : { proof: write('proof', proof) }),
    ...(policy === undefined ? {} : { policy: write('policy', policy) }),
    known: known.map((text, i) => write(`known-${i}`, text)),
  }
}

/** The verifier in Python, in one process for all subjects. */
export class PythonVerifier {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dossier-gallery-'))
  readonly #process: ChildProcessWithoutNullStreams
  readonly #waiting: ((answer: string) => void)[] = []
  #asked = 0

  constructor() {
    this.#process = spawn('python3', [join(import.meta.dirname, 'driver.py')])
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#waiting.shift()?.(line))
    this.#process.stderr.pipe(process.stderr)
  }

  async ask(subject: Subject): Promise<Verdict> {
    const folder = join(this.#folder, String(this.#asked++))
    const written = writeSubject(folder, subject)
    const answer = await new Promise<string>((told, failed) => {
      this.#waiting.push(told)
      this.#process.once('exit', failed)
      this.#process.stdin.write(`${JSON.stringify(written)}\n`)
    })
    this.#process.removeAllListeners('exit')
    rmSync(folder, { recursive: true })
    const { file, ...verdict } = JSON.parse(answer)
    return verdict.ok ? verdict : { ...verdict, source: sourceOf(file, written) }
  }

  close(): void {
    this.#process.stdin.end()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function sourceOf(path: string | null, { proof, policy, known }: WrittenSubject): Source {
  if (path === null) return 'file'
  if (path === proof) return 'proof'
  return path === policy ? 'policy' : known.indexOf(path)
}
