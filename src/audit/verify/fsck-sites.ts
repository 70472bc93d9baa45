/** Where logs are published: one, or all that a list names. */
import { err, ok, type Result } from '../../result.ts'
import { FormatError } from '../tlog/errors.ts'
import { entriesPath, tileWidth } from '../tlog/tile.ts'
import { isLogName, isObject } from './entry-frame.ts'
import { nameContradiction, nameOfOrigin } from './header.ts'
import { type Finding, finding, UnreadableError } from './report.ts'
import { normalNote, parseSignedCheckpoint, type SignedCheckpoint, sentenceOf } from './signed-text.ts'
import { parseJson } from './strict-json.ts'
import type { FetchFile } from './tile-store.ts'
import { type Trust, trustedKeys } from './trust.ts'

/** Paths where many logs are, not one: their list (the JSON of `GET /audit/logs`), and the folder of each. */
export interface Listing {
  readonly path: string
  readonly folderOf: (log: string) => string
}

/** A log, and where its files are. */
export interface Site {
  readonly log: string
  readonly origin: string
  readonly keys: readonly string[]
  /** Ends in a slash, or is empty. */
  readonly folder: string
  /** Null: the log is empty. */
  readonly checkpoint: SignedCheckpoint | null
}

/** One log, if a checkpoint is at the place itself; else all that its list names. */
export async function findSites(
  trust: Trust,
  fetchFile: FetchFile,
  listing: Listing,
): Promise<Result<Site[], Finding>> {
  const own = await readCheckpoint(fetchFile, 'checkpoint')
  if (!own.ok) return own
  if (own.value !== null) return singleSite(trust, own.value)
  const bytes = await fetchFile(listing.path)
  if (bytes === null)
    return err(finding('unreadable', 'file', `There is neither a checkpoint nor ${listing.path}.`))
  const logs = parseListing(decodeUtf8(bytes, listing.path))
  if (logs === null) return err(finding('format', 'file', `The file ${listing.path} is no list of logs.`))
  const sites: Site[] = []
  for (const log of logs) {
    const misnamed = nameContradiction(log)
    if (misnamed !== null) return err(finding('header', log.log, misnamed))
    const folder = `${listing.folderOf(log.log)}/`
    const checkpoint = await readCheckpoint(fetchFile, `${folder}checkpoint`)
    if (!checkpoint.ok) return checkpoint
    if (checkpoint.value === null && (await hasEntries(fetchFile, folder)))
      return err(finding('unreadable', 'file', `The log ${log.log} has entries and no checkpoint.`))
    sites.push({ ...log, folder, checkpoint: checkpoint.value })
  }
  return sites.every(({ checkpoint }) => checkpoint === null)
    ? err(finding('unreadable', 'file', 'No log here has a checkpoint.'))
    : ok(sites)
}

function singleSite(trust: Trust, checkpoint: SignedCheckpoint): Result<Site[], Finding> {
  const { origin } = checkpoint
  const log = nameOfOrigin(origin)
  if (log === null) return err(finding('origin', 'file', `The origin ${origin} is not that of a log.`))
  const keys = trustedKeys(trust, origin)
  return keys.length === 0
    ? err(finding('key', log, 'No key of this log is trusted: a policy must name it, or the list of logs.'))
    : ok([{ log, origin, keys, folder: '', checkpoint }])
}

async function readCheckpoint(
  fetchFile: FetchFile,
  path: string,
): Promise<Result<SignedCheckpoint | null, Finding>> {
  const bytes = await fetchFile(path)
  if (bytes === null) return ok(null)
  try {
    return ok(parseSignedCheckpoint(normalNote(decodeUtf8(bytes, path)), path))
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return err(finding('format', 'file', sentenceOf(error)))
  }
}

function decodeUtf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw new UnreadableError(`The file ${path} is not UTF-8.`, 'file')
  }
}

/** Null: it is no list of logs. */
function parseListing(text: string): Pick<Site, 'keys' | 'log' | 'origin'>[] | null {
  const value = parseJson(text)
  if (!isObject(value) || !Array.isArray(value.logs)) return null
  const logs = value.logs.map(readListed)
  const names = new Set(logs.map((log) => log?.log))
  return logs.length > 0 && names.size === logs.length && logs.every((log) => log !== null) ? logs : null
}

function readListed(value: unknown): Pick<Site, 'keys' | 'log' | 'origin'> | null {
  if (!isObject(value)) return null
  const { log, origin, vkey, mldsa44Vkey } = value
  if (typeof log !== 'string' || !isLogName(log) || typeof origin !== 'string' || typeof vkey !== 'string')
    return null
  if (mldsa44Vkey !== null && typeof mldsa44Vkey !== 'string') return null
  return { log, origin, keys: mldsa44Vkey === null ? [vkey] : [vkey, mldsa44Vkey] }
}

/** Whether there is a bundle, though no checkpoint says so. */
async function hasEntries(fetchFile: FetchFile, folder: string): Promise<boolean> {
  for (const width of [tileWidth, 1])
    if ((await fetchFile(`${folder}${entriesPath(0n, width)}`)) !== null) return true
  return false
}
