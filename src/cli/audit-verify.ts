/** `dossier audit verify`: whether a file that came out of the record is what its logs hold. Needs no network. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { SingleBar } from 'cli-progress'
import { Command } from 'commander'
import { verify } from '../audit/verify/verify.ts'
import { readTrustFiles, showReport, type TrustOptions, withTrustOptions } from './audit-report.ts'
import { nodeCrypto } from './node-crypto.ts'

interface VerifyOptions extends TrustOptions {
  readonly proof?: string
}

/** Fewer and larger reads than the default: the verifier is faster than those. */
const readBytes = 256 * 1024

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('check an export or a proof, offline')
    .argument('<file>', 'an export in NDJSON, CSV or FHIR, or the proof of one entry')
    .option('--proof <file>', 'of an export in CSV or FHIR: the NDJSON export of the same entries')
  return withTrustOptions(command, 'the keys in the file').action(
    async (file: string, options: VerifyOptions) => {
      await showReport({ file, ...options }, async () => {
        const trust = await readTrustFiles(options)
        const proof = options.proof === undefined ? {} : { proof: readFile(options.proof) }
        return await verify(nodeCrypto, { ...trust, ...proof, file: readWithBar(file) })
      })
    },
  )
}

/** Opened when it is read: a stream that nobody reads yet would end the process where there is no such file. */
async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: readBytes })
}

/** With a bar of the bytes read, where somebody watches. */
async function* readWithBar(path: string): AsyncGenerator<Uint8Array> {
  if (!process.stderr.isTTY) {
    yield* readFile(path)
    return
  }
  const { size } = await stat(path)
  const bar = new SingleBar({
    stream: process.stderr,
    format: '{bar} {percentage}%  {value}/{total} bytes',
    hideCursor: true,
    clearOnComplete: true,
  })
  bar.start(size, 0)
  try {
    for await (const chunk of readFile(path)) {
      bar.increment(chunk.length)
      yield chunk
    }
  } finally {
    bar.stop()
  }
}
