/** Checks what logs publish, from their checkpoints down to the entries of their bundles. */
import { err, ok, type Result } from '../../result.ts'
import { proveConsistency } from '../tlog/proof.ts'
import { tileHashReader } from '../tlog/tile.ts'
import type { VerifierCrypto } from './crypto.ts'
import { findSites, type Listing, type Site } from './fsck-sites.ts'
import { type Finding, type Report, UnreadableError, type VerifiedLog } from './report.ts'
import { type FetchFile, fetchTile } from './tile-store.ts'
import { TileTree } from './tile-tree.ts'
import {
  judgeCheckpoint,
  type KnownCheckpoint,
  knownFault,
  type LogKeys,
  readKeys,
  readTrust,
  type Trust,
  type TrustedCheckpoint,
  uncoveredFault,
} from './trust.ts'

export interface FsckInput {
  /** Null: nothing is there. Anything it throws is told as `unreadable`. */
  readonly fetchFile: FetchFile
  readonly listing: Listing
  /** Text of a tlog-policy. */
  readonly policy?: string
  /** Texts of signed checkpoints. */
  readonly known?: readonly string[]
  /** Leaves verified so far, and how many there are. */
  readonly onProgress?: (done: number, total: number) => void
}

type Verified = Pick<Report & { readonly ok: true }, 'kind' | 'logs' | 'notChecked'>

/** Whatever is published, the answer is a report. Memory does not grow with the logs. */
export async function fsck(crypto: VerifierCrypto, input: FsckInput): Promise<Report> {
  try {
    const trust = readTrust(crypto, input.policy ?? null, input.known ?? [])
    if (!trust.ok) return { ok: false, ...trust.error }
    const verified = await verifySites(crypto, trust.value, {
      ...input,
      fetchFile: readable(input.fetchFile),
    })
    return verified.ok
      ? { ok: true, ...verified.value, trust: trust.value.policy === null ? 'file' : 'policy' }
      : { ok: false, ...verified.error }
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    return { ok: false, ...error.finding() }
  }
}

const readable =
  (fetchFile: FetchFile): FetchFile =>
  async (path) => {
    try {
      return await fetchFile(path)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new UnreadableError(`The file ${path} cannot be read: ${why}.`, 'file')
    }
  }

async function verifySites(
  crypto: VerifierCrypto,
  trust: Trust,
  { fetchFile, listing, onProgress }: FsckInput,
): Promise<Result<Verified, Finding>> {
  const sites = await findSites(trust, fetchFile, listing)
  if (!sites.ok) return sites
  const opened: OpenedSite[] = []
  for (const site of sites.value) {
    const one = openSite(crypto, trust, site)
    if (!one.ok) return one
    opened.push(one.value)
  }
  const uncovered = uncoveredFault(trust, new Set(sites.value.map(({ origin }) => origin)))
  if (uncovered !== null) return err(uncovered)
  const total = opened.reduce((sum, { checkpoint }) => sum + Number(checkpoint?.size ?? 0n), 0)
  let done = 0
  for (const one of opened) {
    const fault = await contentFault(crypto, fetchFile, one, (count) => {
      done += count
      onProgress?.(done, total)
    })
    if (fault !== null) return err(fault)
  }
  return ok({
    kind: 'tiles',
    logs: opened.map(verifiedLog),
    notChecked: opened.flatMap(({ checkpoint }) => checkpoint?.notChecked ?? []),
  })
}

interface OpenedSite {
  readonly site: Site
  readonly keys: LogKeys
  /** Null: the log is empty. */
  readonly checkpoint: TrustedCheckpoint | null
  readonly known: readonly KnownCheckpoint[]
}

/** What can be said of a log by its checkpoint alone. */
function openSite(crypto: VerifierCrypto, trust: Trust, site: Site): Result<OpenedSite, Finding> {
  const keys = readKeys(crypto, trust, site)
  if (!keys.ok) return keys
  const read =
    site.checkpoint === null ? ok(null) : judgeCheckpoint(crypto, trust, site, keys.value, site.checkpoint)
  if (!read.ok) return read
  const checkpoint = read.value
  const known = trust.known.filter(({ origin }) => origin === site.origin)
  for (const one of known) {
    if (isSmaller(one, checkpoint)) continue
    const fault = knownFault(crypto, site.log, keys.value, one, checkpoint, null)
    if (fault !== null) return err(fault)
  }
  return ok({ site, keys: keys.value, checkpoint, known })
}

const isSmaller = (known: KnownCheckpoint, checkpoint: TrustedCheckpoint | null): boolean =>
  checkpoint !== null && known.size < checkpoint.size

/** Tiles and bundles, then the known checkpoints that only the tiles can be compared with. */
async function contentFault(
  crypto: VerifierCrypto,
  fetchFile: FetchFile,
  { site, keys, checkpoint, known }: OpenedSite,
  onLeaves: (count: number) => void,
): Promise<Finding | null> {
  if (checkpoint === null) return null
  const { log, folder } = site
  const fetchOwn: FetchFile = (path) => fetchFile(`${folder}${path}`)
  const fault = await new TileTree(crypto, log, fetchOwn, onLeaves).fault(checkpoint)
  if (fault !== null) return fault
  const read = tileHashReader(crypto.sha256, checkpoint.size, (tiles) =>
    Promise.all(
      tiles.map(async (tile) => {
        const hashes = await fetchTile(fetchOwn, log, tile)
        if (!hashes.ok) throw new UnreadableError(hashes.error.sentence, 'file')
        return joined(hashes.value)
      }),
    ),
  )
  for (const one of known) {
    if (!isSmaller(one, checkpoint)) continue
    const path = await proveConsistency(crypto.sha256, read, one.size, checkpoint.size)
    const forked = knownFault(crypto, log, keys, one, checkpoint, path)
    if (forked !== null) return forked
  }
  return null
}

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * 32)
  hashes.forEach((hash, i) => {
    bytes.set(hash, i * 32)
  })
  return bytes
}

const verifiedLog = ({ site, checkpoint, known }: OpenedSite): VerifiedLog => {
  const size = String(checkpoint?.size ?? 0n)
  return {
    log: site.log,
    origin: site.origin,
    checkpointSize: size,
    first: '0',
    end: size,
    entries: Number(size),
    redacted: 0,
    pruned: 0,
    current: true,
    keys: checkpoint?.keys ?? [],
    witnesses: checkpoint?.witnesses ?? [],
    known: known.map((one) => String(one.size)),
  }
}
